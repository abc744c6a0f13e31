import { useCallback, useRef, useState } from 'react';
import type { PlaygroundCall, PlaygroundResult } from '../../../../src/admin/state.ts';
import type { ApiFailure } from '../../api/client.ts';
import { failureOf } from './connection.ts';

/** One call that was made from this page. */
export interface Run {
	number: number;
	tool: string;
	startedAt: Date;
	args: unknown;
	outcome:
		| { kind: 'running' }
		| { kind: 'cancelled' }
		| { kind: 'failed'; failure: ApiFailure }
		| { kind: 'answered'; result: PlaygroundResult };
}

const kept = 20;

export interface Runs {
	/** Newest first. */
	runs: readonly Run[];
	shown: Run | undefined;
	show(number: number): void;
	start(tool: string, args: unknown): void;
	cancel(): void;
}

/** The calls of this page, the newest shown unless another was chosen. */
export function useRuns(call: (call: PlaygroundCall, signal: AbortSignal) => Promise<PlaygroundResult>): Runs {
	const [runs, setRuns] = useState<readonly Run[]>([]);
	const [chosen, setChosen] = useState<number | null>(null);
	const count = useRef(0);
	const active = useRef<AbortController | null>(null);

	const start = useCallback(
		(tool: string, args: unknown) => {
			active.current?.abort();
			const controller = new AbortController();
			active.current = controller;
			const number = ++count.current;
			const settle = (outcome: Run['outcome']) =>
				setRuns((now) => now.map((run) => (run.number === number ? { ...run, outcome } : run)));
			const run: Run = { number, tool, startedAt: new Date(), args, outcome: { kind: 'running' } };
			setRuns((now) => [run, ...now].slice(0, kept));
			setChosen(null);
			call({ method: 'tools/call', params: { name: tool, arguments: args } }, controller.signal).then(
				(result) => settle({ kind: 'answered', result }),
				(error: unknown) =>
					settle(controller.signal.aborted ? { kind: 'cancelled' } : { kind: 'failed', failure: failureOf(error) }),
			);
		},
		[call],
	);
	const cancel = useCallback(() => active.current?.abort(), []);
	return { runs, shown: runs.find((run) => run.number === chosen) ?? runs[0], show: setChosen, start, cancel };
}
