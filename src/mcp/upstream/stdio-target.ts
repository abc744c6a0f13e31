import type { Printed } from '../../processes/process-output.ts';
import type { Caller, Target } from '../model.ts';
import { gatewayCaller } from '../own-call.ts';
import { Reserve } from './reserve.ts';
import { type Sharing, SharingTarget } from './sharing-target.ts';
import { createTarget } from './target.ts';
import type { StdioTransport } from './transport/stdio.ts';

export interface StdioTargetOptions {
	readonly name: string;
	/** Milliseconds from a start until the handshake is answered. */
	readonly startTimeout: number;
	/** Milliseconds without a call after which a process ends until the next one; null: never. */
	readonly idleTimeout: number | null;
	readonly sharing: Sharing;
	/** Milliseconds without sign of life after which a call is given up, 0 for never. */
	readonly callTimeout: number;
	/** Calls under way at once; null for any number. */
	readonly maxConcurrentCalls: number | null;
	/** Whether one process is kept in reserve. */
	readonly prewarm: boolean;
	warn(message: string): void;
	/** Starts a process for `owner`; null for the gateway itself, or for all. `spare`: in reserve. */
	start(owner: string | null, spare: boolean): StdioTransport;
	/** What the process behind such a transport has printed. */
	printed(transport: object): Printed | null;
	/** Whether the target may have no further process. */
	isFull(): boolean;
}

/** A target whose processes the gateway starts. */
export interface StdioTarget extends Target {
	/** Ends what is kept in reserve; connections are closed by who opened them. */
	close(): Promise<void>;
}

/** Makes a target of a command. Nothing is started before somebody opens it. */
export function createStdioTarget(options: StdioTargetOptions): StdioTarget {
	const reserve = options.prewarm
		? new Reserve(
				() => options.start(null, true),
				() => Math.random(),
			)
		: null;
	const ownerOf = ({ principal }: Caller): string | null =>
		options.sharing === 'all' || principal === gatewayCaller.principal ? null : principal;
	const target = createTarget({
		name: options.name,
		warn: (message) => options.warn(message),
		overHttp: false,
		startTimeout: options.startTimeout,
		callTimeout: options.callTimeout,
		maxConcurrentCalls: options.maxConcurrentCalls,
		printed: (transport) => options.printed(transport),
		// What is in reserve has been asked something that only servers with a handshake are asked. Others take it, too,
		// when there is no room for another beside it.
		openTransport: (caller) =>
			(caller.handshake || options.isFull() ? reserve?.take(ownerOf(caller)) : null) ??
			options.start(ownerOf(caller), false),
	});
	const sharing = new SharingTarget({
		target,
		sharing: options.sharing,
		idleTimeout: options.idleTimeout,
		// The others of a server without a handshake share the one that stands.
		ready: ({ handshake }) => {
			if (handshake) reserve?.refill();
		},
	});
	return {
		name: options.name,
		circuit: target.circuit,
		get local() {
			return sharing.local;
		},
		open: (caller, events) => sharing.open(caller, events),
		close: async () => reserve?.close(),
	};
}
