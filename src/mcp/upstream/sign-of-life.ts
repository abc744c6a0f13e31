import type { Circuit, CircuitFollower } from '../health/circuit.ts';

/** A connection that may hang. */
export interface Suspect {
	/** Asks its server something that costs nothing to answer. */
	ping(): void;
	/** Its server has answered neither its calls nor that. */
	hangs(): void;
}

/** Longer than a server that is only busy takes for a ping. */
const patienceMs = 10_000;

/**
 * Whether the server of a connection that many use still lives. Whoever comes would join one that hangs, and no start
 * would ever show what is wrong. So it is asked when calls without sign of life have opened the target's circuit.
 */
export class SignOfLife implements CircuitFollower {
	slot = -1;
	readonly tries = false;
	private readonly circuit: Circuit;
	private readonly suspect: Suspect;
	private timer: NodeJS.Timeout | null = null;

	constructor(circuit: Circuit, suspect: Suspect) {
		this.circuit = circuit;
		this.suspect = suspect;
		circuit.follow(this);
	}

	/** The server has said something, whatever it is. */
	heard(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
	}

	/** What it answers to the ping closes the circuit, like any answer. */
	circuitChanged(): void {
		if (this.circuit.state === 'closed') return this.heard();
		if (this.circuit.trouble !== 'timeout' || this.timer !== null) return;
		this.timer = setTimeout(() => {
			this.timer = null;
			this.suspect.hangs();
		}, patienceMs).unref();
		this.suspect.ping();
	}

	end(): void {
		this.heard();
		this.circuit.unfollow(this);
	}
}
