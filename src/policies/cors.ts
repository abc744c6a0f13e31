import type { CorsPolicy } from '../config/ir.ts';
import { compileOrigins } from '../http/origin.ts';
import type { Policy, PolicyExchange } from '../http/policy.ts';

/**
 * Cross-origin resource sharing (Fetch standard, "CORS protocol") as agentgateway does it: every OPTIONS with an
 * allowed Origin is answered here, the origin is echoed, `*` for methods and headers echoes what was asked for, a
 * refused preflight is a 200 without CORS headers, and a refused ordinary request still goes on: the browser keeps
 * its reply from the page.
 */
export function cors(config: CorsPolicy): Policy {
	const allows = compileOrigins(config.allowOrigins);
	const methods = compileList(config.allowMethods);
	const allowedHeaders = compileList(config.allowHeaders);
	const exposed = config.exposeHeaders.join(', ');

	const originHeaders = (origin: string): string[] => {
		const headers = ['access-control-allow-origin', origin, 'vary', 'Origin'];
		if (config.allowCredentials) headers.push('access-control-allow-credentials', 'true');
		return headers;
	};

	const preflight = (exchange: PolicyExchange, origin: string): void => {
		const headers = originHeaders(origin);
		const method = methods(exchange.headers['access-control-request-method']);
		if (method !== '') headers.push('access-control-allow-methods', method);
		const names = allowedHeaders(exchange.headers['access-control-request-headers']);
		if (names !== '') headers.push('access-control-allow-headers', names);
		if (config.maxAge !== null) headers.push('access-control-max-age', String(config.maxAge));
		answer(exchange, headers);
	};

	return {
		request(exchange) {
			const { origin } = exchange.headers;
			if (typeof origin !== 'string') return undefined;
			const allowed = allows(origin);
			if (exchange.method === 'OPTIONS') {
				if (allowed) preflight(exchange, origin);
				else if (exchange.headers['access-control-request-method'] === undefined) return undefined;
				else answer(exchange, ['vary', 'Origin']);
				return 'answered';
			}
			if (!allowed) return undefined;
			exchange.onReply((_status, headers) => {
				headers.push(...originHeaders(origin));
				if (exposed !== '') headers.push('access-control-expose-headers', exposed);
			});
			return undefined;
		},
	};
}

function answer(exchange: PolicyExchange, headers: readonly string[]): void {
	exchange.facts.reason = 'DirectResponse';
	exchange.respond(200, headers, null);
}

/** The value of an allow header: the list as written, or what was asked for when the list has `*`. */
function compileList(list: readonly string[]): (asked: string | string[] | undefined) => string {
	if (!list.includes('*')) {
		const written = list.join(', ');
		return () => written;
	}
	return (asked) => (typeof asked === 'string' ? asked : (asked?.join(', ') ?? ''));
}
