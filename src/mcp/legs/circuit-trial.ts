import { refuseAsk } from '../asks/refuse-ask.ts';
import type { Circuit } from '../health/circuit.ts';
import { gatewayCaller, ownCall } from '../own-call.ts';
import type { Sink, Ticket, Upstream } from '../model.ts';

/** A ping that is not answered for so long says that the target is not back yet. */
const trialMs = 10_000;
/** Of many who could try, the first does; so they do not all look in the same moment. */
const spreadMs = 250;

/**
 * Looks whether a target answers again, over a connection that stands, while its circuit is not closed: clients who do
 * not see its tools any more would never ask.
 */
export class CircuitTrial implements Sink {
	private readonly circuit: Circuit;
	private readonly upstream: Upstream;
	private timer: NodeJS.Timeout | null = null;
	private ticket: Ticket | null = null;

	constructor(circuit: Circuit, upstream: Upstream) {
		this.circuit = circuit;
		this.upstream = upstream;
		this.plan(circuit.wait);
	}

	/** Ends it, a ping under way included. */
	stop(): void {
		if (this.timer !== null) clearTimeout(this.timer);
		const { ticket } = this;
		this.ticket = null;
		ticket?.cancel('the connection is not looked at any longer');
	}

	note(): void {
		// A ping has none.
	}

	ask(ask: Parameters<Sink['ask']>[0]): void {
		refuseAsk(ask);
	}

	/** Any answer closes the circuit, which ends this. */
	done(): void {
		this.over();
	}

	fail(): void {
		this.over();
	}

	private over(): void {
		if (this.ticket === null) return;
		this.ticket = null;
		if (this.circuit.state !== 'closed') this.plan(this.circuit.wait);
	}

	private plan(wait: number): void {
		if (this.timer !== null) clearTimeout(this.timer);
		this.timer = setTimeout(() => this.look(), wait + Math.random() * spreadMs);
		this.timer.unref();
	}

	private look(): void {
		if (!this.circuit.passes()) return this.plan(this.circuit.wait);
		// Until the ticket is there: the answer may come before `start` returns.
		this.ticket = { cancel() {} };
		const ticket = this.upstream.start(ownCall('ping', {}, gatewayCaller), this);
		if (this.ticket === null) return;
		this.ticket = ticket;
		this.timer = setTimeout(() => {
			this.stop();
			this.plan(this.circuit.wait);
		}, trialMs);
		this.timer.unref();
	}
}
