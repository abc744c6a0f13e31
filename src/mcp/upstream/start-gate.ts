import type { Circuit, CircuitFollower } from '../health/circuit.ts';
import type { Failure } from '../health/failure.ts';

/** So many starts at once, as long as it is not known that they succeed … */
const untested = 8;
/** … and while they do: some commands need seconds, and no processor. */
const proven = 32;
/** One that takes longer does not keep the others waiting. */
const longestMs = 10_000;

/**
 * How many processes of one target come up at once, over all sessions. When a command that thousands use crashes at its
 * start, they must not all start it in the same moment, and again and again. Whoever waits when the circuit opens is
 * told why, without another start.
 */
export class StartGate implements CircuitFollower {
	slot = -1;
	readonly tries = false;
	private readonly circuit: Circuit;
	private readonly waiting: Start[] = [];
	private open = 0;
	/** Whether the last start succeeded. */
	private good = false;

	constructor(circuit: Circuit) {
		this.circuit = circuit;
		circuit.follow(this);
	}

	/** Lets it begin as soon as there is room, or refuses it when there is nothing to wait for. */
	enter(start: Start): void {
		this.waiting.push(start);
		this.next();
	}

	left(good: boolean | null): void {
		this.open--;
		if (good !== null) this.good = good;
		this.next();
	}

	/** It does not wait any longer. */
	forget(start: Start): void {
		const at = this.waiting.indexOf(start);
		if (at >= 0) this.waiting.splice(at, 1);
	}

	circuitChanged(): void {
		const { state, failure } = this.circuit;
		if (state !== 'open' || failure === null) return;
		for (const start of this.waiting.splice(0)) start.refuse({ ...failure, untried: true });
	}

	private next(): void {
		while (this.open < (this.good ? proven : untested)) {
			const start = this.waiting.shift();
			if (start === undefined) return;
			this.open++;
			start.run(longestMs);
		}
	}
}

/** One start that waits, or is under way. */
export class Start {
	private readonly gate: StartGate;
	private readonly begin: () => void;
	readonly refuse: (failure: Failure) => void;
	private timer: NodeJS.Timeout | null = null;
	private state: 'waiting' | 'running' | 'over' = 'waiting';

	constructor(gate: StartGate, begin: () => void, refuse: (failure: Failure) => void) {
		this.gate = gate;
		this.begin = begin;
		this.refuse = refuse;
	}

	run(ms: number): void {
		this.state = 'running';
		this.timer = setTimeout(() => this.over(null), ms).unref();
		this.begin();
	}

	/** It has ended. `good`: whether the process is of use; null where that is not known. */
	over(good: boolean | null): void {
		const { state } = this;
		if (state === 'over') return;
		this.state = 'over';
		if (this.timer !== null) clearTimeout(this.timer);
		if (state === 'running') this.gate.left(good);
		else this.gate.forget(this);
	}
}
