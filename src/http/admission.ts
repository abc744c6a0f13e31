import type { Refusal } from './exchange.ts';
import { refuse } from './refusal.ts';

/** What servers may still take, all that share it together. Asked with each request, so it is plain fields. */
export class Admission {
	/** Why requests are refused now; null: they are taken. */
	refusal: Refusal | null = null;
	/** Bytes of request bodies that are held now. */
	held = 0;
	/** Connections that are open now. */
	connections = 0;
	/** Requests that were refused. */
	refusedRequests = 0;
	/** Connections that were refused. */
	refusedConnections = 0;
	private readonly mostHeld: number;
	private readonly mostConnections: number;

	constructor(limits: { readonly held: number; readonly connections: number }) {
		this.mostHeld = limits.held;
		this.mostConnections = limits.connections;
	}

	/** Whether no further connection is taken. */
	get full(): boolean {
		return this.connections >= this.mostConnections;
	}

	/** Refuses a body of which `more` bytes are to come, when all bodies together would be too much. */
	refuseBody(more: number): Refusal | null {
		if (this.held + more <= this.mostHeld) return null;
		this.refusedRequests++;
		return tooMuchHeld;
	}
}

/** The refusal of a gateway that is short of something. */
export function overloaded(what: string): Refusal {
	return refuse(503, `the gateway is overloaded (${what}); ask again later`, 'Internal', ['retry-after', '5']);
}

const tooMuchHeld = overloaded('too many bytes of requests');
