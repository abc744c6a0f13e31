import type { Circuit } from '../health/circuit.ts';
import type { CallClock } from './call-clock.ts';
import type { CallLimit } from './call-limit.ts';
import type { StartGate } from './start-gate.ts';

/** Whether a server lives, as far as all connections to it know. One for each target. */
export interface Vitals {
	readonly circuit: Circuit;
	readonly clock: CallClock;
	/** null: any number of calls at once. */
	readonly limit: CallLimit | null;
	/** null where connections cost no process. */
	readonly starts: StartGate | null;
	/** A bug of the gateway showed, which must not end more than what it showed in. */
	onFault(fault: unknown): void;
}
