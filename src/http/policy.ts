import type { Exchange, Refusal } from './exchange.ts';

/** Changes a reply's flat headers before they are sent. */
export type ReplyHook = (status: number, headers: string[]) => void;

/** An exchange as policies see it. */
export interface PolicyExchange extends Exchange {
	/** Runs `hook` on whatever reply comes, refusals included, in the reverse of the order in which hooks were added. */
	onReply(hook: ReplyHook): void;
	/** Whether `respond` or `stream` has been called. */
	readonly replied: boolean;
	/** Whether the client has gone away or the reply has been sent. */
	readonly closed: boolean;
}

/** What a policy decides: go on, refuse, or `answered` when it has replied itself. */
export type Outcome = Refusal | 'answered' | undefined;

/** One step before the backend. Return a promise only when something really has to be awaited. */
export interface Policy {
	request(exchange: PolicyExchange): Outcome | Promise<Outcome>;
}
