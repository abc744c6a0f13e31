import clsx from 'clsx';
import { ServerText } from './server-text.tsx';

export type StatusState = 'idle' | 'starting' | 'ready' | 'degraded' | 'failed';

const words = { idle: 'Idle', starting: 'Starting', ready: 'Ready', degraded: 'Degraded', failed: 'Failed' };
const colours = {
	idle: 'text-muted',
	starting: 'text-info',
	ready: 'text-ok',
	degraded: 'text-warn',
	failed: 'text-bad',
};

export interface StatusProps {
	state: StatusState;
	reason?: string;
	/** In place of the state's own word. */
	word?: string;
}

/** A state as shape, colour and word, with its reason when it has one. */
export function Status({ state, reason = '', word = words[state] }: StatusProps) {
	return (
		<span className={clsx('inline-flex min-w-0 items-baseline gap-1.5 text-13', colours[state])}>
			<Shape state={state} />
			<span className="min-w-0 [overflow-wrap:anywhere]">
				<span className="font-medium">{word}</span>
				{reason !== '' && (
					<span>
						: <ServerText text={reason} />
					</span>
				)}
			</span>
		</span>
	);
}

function Shape({ state }: { state: StatusState }) {
	return (
		<svg viewBox="0 0 10 10" className="size-2.5 shrink-0 self-center" aria-hidden="true">
			{state === 'ready' && <circle cx="5" cy="5" r="4" fill="currentColor" />}
			{state === 'starting' && (
				<path d="M5 1a4 4 0 0 1 0 8" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
			)}
			{state === 'degraded' && <path d="M5 1 9.500 9h-9z" fill="currentColor" />}
			{state === 'failed' && <rect x="1" y="1" width="8" height="8" rx="1" fill="currentColor" />}
			{state === 'idle' && <circle cx="5" cy="5" r="3.500" fill="none" stroke="currentColor" strokeWidth="1.500" />}
		</svg>
	);
}
