import { replyFault, replyRefusal, type ReportFault } from './errors.ts';
import type { Backend } from './exchange.ts';
import type { Outcome, Policy, PolicyExchange } from './policy.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Router } from './router.ts';

/** A backend with its share of a route's requests. */
export interface Weighted {
	readonly weight: number;
	readonly backend: Backend;
}

/** What a route is compiled to: policies in their order, then a backend. */
export class Pipeline {
	private readonly policies: readonly Policy[];
	private readonly choose: () => Backend | null;
	private readonly report: ReportFault;

	/** `random` gives numbers from 0 to below 1. */
	constructor(
		policies: readonly Policy[],
		backends: readonly Weighted[],
		report: ReportFault,
		random: () => number = Math.random,
	) {
		this.policies = Object.freeze([...policies]);
		this.choose = compileChoice(backends, random);
		this.report = report;
	}

	/** Answers the exchange, whatever happens. */
	handle(exchange: PolicyExchange): void {
		this.run(exchange, 0);
	}

	/** Runs policies from `at` on; leaves the stack only for those that really wait. */
	private run(exchange: PolicyExchange, at: number): void {
		try {
			for (let next = at; next < this.policies.length; next++) {
				const outcome = (this.policies[next] as Policy).request(exchange);
				if (outcome === undefined) continue;
				if (outcome instanceof Promise) return this.wait(exchange, outcome, next + 1);
				return settle(exchange, outcome);
			}
			const backend = this.choose();
			if (backend === null) replyRefusal(exchange, noValidBackends);
			else backend.handle(exchange);
		} catch (fault) {
			replyFault(exchange, fault, this.report);
		}
	}

	private wait(exchange: PolicyExchange, pending: Promise<Outcome>, next: number): void {
		pending
			.then((outcome) => {
				// Nobody waits for the reply any more: spare the backend.
				if (exchange.closed) return;
				if (outcome === undefined) this.run(exchange, next);
				else settle(exchange, outcome);
			})
			.catch((fault: unknown) => replyFault(exchange, fault, this.report));
	}
}

/** Sends an exchange to the pipeline of its route, and notes in the facts which one that is. */
export function routeExchange(router: Router<Pipeline>, exchange: PolicyExchange): void {
	const routed = router.match(exchange);
	if (isRefusal(routed)) return replyRefusal(exchange, routed);
	const { facts } = exchange;
	facts.gateway = routed.listener.gateway;
	facts.listener = routed.listener.name;
	facts.route = routed.route.key;
	facts.routeRule = routed.route.ruleName ?? undefined;
	routed.payload.handle(exchange);
}

const noValidBackends = refuse(500, 'no valid backends', 'NoHealthyBackend');

function settle(exchange: PolicyExchange, outcome: Exclude<Outcome, undefined>): void {
	if (outcome !== 'answered') replyRefusal(exchange, outcome);
}

function compileChoice(backends: readonly Weighted[], random: () => number): () => Backend | null {
	const usable = backends.filter(({ weight }) => weight > 0);
	const only = usable[0];
	if (only === undefined) return () => null;
	if (usable.length === 1) return () => only.backend;
	const total = usable.reduce((sum, { weight }) => sum + weight, 0);
	return () => {
		let left = random() * total;
		for (const { weight, backend } of usable) {
			left -= weight;
			if (left < 0) return backend;
		}
		return only.backend;
	};
}
