import { Backoff } from '../../processes/backoff.ts';
import type { Purpose } from '../../processes/processes.ts';
import type { StdioTransport } from './transport/stdio.ts';

/** What comes up in reserve must not take the processor from the session that has just begun. */
const refillMs = 50;
/** Not every server says that it has come up. Those of this command have before, so one that runs for so long has, too. */
const upMs = 10_000;

/**
 * One process in reserve: started, so that whoever takes it does not wait for that, but not greeted yet, because the
 * greeting says who its client is and what it can do.
 */
export class Reserve {
	private readonly start: () => StdioTransport;
	private readonly backoff: Backoff;
	private spare: StdioTransport | null = null;
	/** Whether servers of the target bear to be asked something before they are greeted. */
	private pings = true;
	private answered = false;
	private timer: NodeJS.Timeout | null = null;
	private closed = false;

	/** `random` gives numbers from 0 up to 1. */
	constructor(start: () => StdioTransport, random: () => number) {
		this.start = start;
		this.backoff = new Backoff(random);
	}

	/** Hands the process over; null: there is none, or `owner` may have no further one. */
	take(owner: string | null, purpose: Purpose): StdioTransport | null {
		const { spare } = this;
		if (spare === null || !spare.claim(owner, purpose)) return null;
		this.spare = null;
		spare.onEnded = null;
		return spare;
	}

	/** One that was started is known to work: it is a good time to start the next. */
	refill(): void {
		this.backoff.reset();
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = null;
		if (this.spare === null) this.after(refillMs);
	}

	async close(): Promise<void> {
		this.closed = true;
		if (this.timer !== null) clearTimeout(this.timer);
		const { spare } = this;
		this.spare = null;
		await spare?.close();
	}

	private after(ms: number): void {
		if (this.closed) return;
		this.timer = setTimeout(() => {
			this.timer = null;
			this.begin();
		}, ms).unref();
	}

	private begin(): void {
		const spare = this.start();
		this.spare = spare;
		spare.onEnded = () => {
			if (this.spare !== spare) return;
			this.spare = null;
			// One that could not be started says nothing of pings.
			if (!this.answered && spare.pid !== null) this.pings = false;
			this.after(this.backoff.next());
		};
		if (this.pings) this.ping(spare);
		setTimeout(() => {
			if (this.spare === spare) spare.established();
		}, upMs).unref();
	}

	/**
	 * The one request that may come before the greeting ("Lifecycle"): whoever answers it has been through the code that
	 * a first message has to load. Some servers exit on it; they are not asked again.
	 */
	private ping(spare: StdioTransport): void {
		this.answered = false;
		const message = Buffer.from(`{"jsonrpc":"2.0","id":${pingId},"method":"ping"}`);
		const answer = () => {
			if (this.spare !== spare) return;
			this.answered = true;
			spare.established();
		};
		spare.request({ id: pingId, message, headers: [] }, { message: answer, failed() {} });
	}
}

/** No connection counts so far. */
const pingId = 2 ** 31 - 1;
