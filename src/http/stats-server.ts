import { replyRefusal } from './errors.ts';
import type { Exchange, Refusal } from './exchange.ts';
import { refuse } from './refusal.ts';

/** Lets a request pass (null) or refuses it before it is looked at. */
export type Guard = (exchange: Exchange) => Refusal | null;

/** Serves `GET /metrics` and `/stats/prometheus`; `metrics` gives the text in Prometheus format 0.0.4. */
export function metricsHandler(metrics: () => Promise<string>, guard: Guard): (exchange: Exchange) => void {
	return (exchange) => {
		const refusal = guard(exchange) ?? refuseOther(exchange, ['/metrics', '/stats/prometheus']);
		if (refusal !== null) return replyRefusal(exchange, refusal);
		metrics().then(
			(text) => exchange.respond(200, ['content-type', 'text/plain; version=0.0.4; charset=utf-8'], text),
			() => replyRefusal(exchange, refuse(500, 'the metrics cannot be read', 'Internal')),
		);
	};
}

/** Serves `GET /healthz/ready`: 200 `ready`, or 500 with the names of what is still `pending`. */
export function readinessHandler(pending: () => readonly string[], guard: Guard): (exchange: Exchange) => void {
	return (exchange) => {
		const refusal = guard(exchange) ?? refuseOther(exchange, ['/healthz/ready']);
		if (refusal !== null) return replyRefusal(exchange, refusal);
		const names = pending();
		const text = names.length === 0 ? 'ready' : `not ready, pending: ${names.join(', ')}`;
		exchange.respond(names.length === 0 ? 200 : 500, ['content-type', 'text/plain; charset=utf-8'], text);
	};
}

function refuseOther(exchange: Exchange, paths: readonly string[]): Refusal | null {
	if (!paths.includes(exchange.path)) return refuse(404, `not found; there is ${paths.join(' and ')}`, 'NotFound');
	if (exchange.method === 'GET' || exchange.method === 'HEAD') return null;
	return refuse(405, 'only GET is served here', 'InvalidRequest', ['allow', 'GET, HEAD']);
}
