import type { Facts } from '../../src/facts/facts.ts';
import type { PolicyExchange } from '../../src/http/policy.ts';
import { type HttpServer, type ListenOptions, listen } from '../../src/http/server.ts';

/** A server on a free port, with what it reported. */
export interface Running {
	server: HttpServer;
	port: number;
	/** Of requests that have ended. */
	ended: Facts[];
	faults: unknown[];
	/** Requests that reached the handler. */
	seen: PolicyExchange[];
}

/** Listens on 127.0.0.1 and a free port; fails the test when that cannot be. */
export async function start(
	handler: (exchange: PolicyExchange) => void,
	more: Partial<ListenOptions> = {},
): Promise<Running> {
	const ended: Facts[] = [];
	const faults: unknown[] = [];
	const seen: PolicyExchange[] = [];
	const server = await listen({
		address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
		bind: 'bind/test',
		handler: (exchange) => {
			seen.push(exchange);
			handler(exchange);
		},
		onError: (fault) => faults.push(fault),
		onEnd: (facts) => ended.push(facts),
		...more,
	});
	if ('fault' in server) throw new Error(server.message);
	return { server, port: server.port, ended, faults, seen };
}

/** Answers with what came, as JSON. */
export function echo(exchange: PolicyExchange): void {
	exchange.body(1_000_000, (body) => {
		const text = Buffer.isBuffer(body) ? { body: body.toString() } : { refused: body.status, message: body.message };
		const status = Buffer.isBuffer(body) ? 200 : body.status;
		const { method, path, query, host } = exchange;
		exchange.respond(
			status,
			['content-type', 'application/json'],
			JSON.stringify({ method, path, query, host, ...text }),
		);
	});
}

/** Waits until `test` holds, or fails after two seconds. */
export async function eventually(test: () => boolean, ms = 2_000): Promise<void> {
	const end = Date.now() + ms;
	while (!test()) {
		if (Date.now() > end) throw new Error('it did not come about');
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}
