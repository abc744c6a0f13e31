import { expect, test } from 'vitest';
import { Processes, type Purpose } from '../../../processes/processes.ts';
import { StdioTransport } from './stdio.ts';

const command = { command: '/bin/sh', args: ['-c', 'read -r _'], env: {}, clearEnv: false, maximum: 1 };

function open(processes: Processes, purpose: Purpose): StdioTransport {
	return new StdioTransport({
		...{ processes, label: 'one', command, owner: null, purpose, patience: 10_000 },
		onStderr() {},
		onJunk() {},
		onFault(fault) {
			throw fault;
		},
	});
}

test('one that is closed while it waits for room starts nothing, and keeps nobody from it', async () => {
	const processes = new Processes({ env: process.env, changed: () => {} });
	const look = open(processes, 'look');
	const [gone, next] = [open(processes, 'use'), open(processes, 'use')];
	const started: string[] = [];
	gone.whenStarted(() => started.push('gone'));
	const first = new Promise<void>((resolve) => next.whenStarted(resolve));
	expect([gone.pid, next.pid]).toEqual([null, null]);
	await gone.close();
	await look.close();
	await first;
	expect(next.pid).not.toBeNull();
	expect([gone.pid, started]).toEqual([null, []]);
	expect(processes.count('one')).toBe(1);
	await processes.close();
});
