import { afterEach, describe, expect, test } from 'vitest';
import type { CorsPolicy, Route } from '../../src/config/ir.ts';
import type { Backend, Exchange } from '../../src/http/exchange.ts';
import { Pipeline, routeExchange } from '../../src/http/pipeline.ts';
import type { Policy } from '../../src/http/policy.ts';
import { refuse } from '../../src/http/refusal.ts';
import { Router } from '../../src/http/router.ts';
import { metricsHandler, readinessHandler } from '../../src/http/stats-server.ts';
import { cors } from '../../src/policies/cors.ts';
import { eventually, type Running, start } from './fixture.ts';

const servers: Running[] = [];
afterEach(async () => {
	for (const { server } of servers.splice(0)) await server.close(50, 0);
});

const answering = (text: string): Backend => ({ handle: (exchange) => exchange.respond(200, [], text) });

async function serve(
	policies: Policy[],
	weighted: [number, Backend][] = [[1, answering('backend')]],
	random = Math.random,
): Promise<Running> {
	const faults: unknown[] = [];
	const backends = weighted.map(([weight, backend]) => ({ weight, backend }));
	const pipeline = new Pipeline(policies, backends, (fault) => faults.push(fault), random);
	const route: Route = {
		key: 'default/r',
		name: 'r',
		ruleName: 'rule',
		hostnames: [],
		matches: [{ path: { kind: 'pathPrefix', value: '/' }, method: null, headers: [], query: [] }],
		policies: {},
		backends: [],
		place: '',
	};
	const listener = {
		name: 'l',
		gateway: 'default/default',
		hostname: 'localhost',
		protocol: 'HTTP' as const,
		routes: [route],
	};
	const router = new Router([listener], () => pipeline);
	const running = await start((exchange) => routeExchange(router, exchange));
	servers.push(running);
	running.faults = faults;
	return running;
}

const call = (running: Running, init: RequestInit = {}, host = 'localhost') =>
	fetch(`http://${host}:${running.port}/x`, init);

describe('the pipeline', () => {
	test('runs policies in order, then the backend, and notes the route', async () => {
		const order: string[] = [];
		const running = await serve([
			{ request: () => void order.push('first') },
			{ request: async () => void order.push('second') },
			{ request: () => void order.push('third') },
		]);
		expect(await (await call(running)).text()).toBe('backend');
		expect(order).toEqual(['first', 'second', 'third']);
		await eventually(() => running.ended.length === 1);
		expect(running.ended[0]).toMatchObject({
			gateway: 'default/default',
			listener: 'l',
			route: 'default/r',
			routeRule: 'rule',
		});
	});

	test('stays on the stack when nothing waits', async () => {
		let inside = false;
		const backend: Backend = { handle: (exchange) => exchange.respond(200, [], String(inside)) };
		const pipeline = new Pipeline([{ request: () => undefined }], [{ weight: 1, backend }], () => undefined);
		const running = await start((exchange) => {
			inside = true;
			pipeline.handle(exchange);
			inside = false;
		});
		servers.push(running);
		expect(await (await call(running)).text()).toBe('true');
	});
});

describe('a policy that does not let a request pass', () => {
	test.each([false, true])('ends at a refusal (later: %s), rendered as text', async (later) => {
		const refusal = refuse(429, 'rate limit exceeded', 'RateLimit', ['retry-after', '3']);
		const running = await serve([{ request: () => (later ? Promise.resolve(refusal) : refusal) }]);
		const reply = await call(running);
		expect([reply.status, reply.headers.get('retry-after'), reply.headers.get('content-type')]).toEqual([
			429,
			'3',
			'text/plain; charset=utf-8',
		]);
		expect(await reply.text()).toBe('rate limit exceeded');
		await eventually(() => running.ended.length === 1);
		expect(running.ended[0]?.reason).toBe('RateLimit');
	});

	test('ends when a policy has answered', async () => {
		const running = await serve([
			{
				request: (exchange) => {
					exchange.respond(204, [], null);
					return 'answered';
				},
			},
		]);
		expect((await call(running)).status).toBe(204);
		expect(running.faults).toEqual([]);
	});
});

describe('a fault', () => {
	test.each([
		[
			'a policy',
			[
				{
					request: () => {
						throw new Error('s3cret');
					},
				},
			],
			answering('x'),
		],
		['a waiting policy', [{ request: () => Promise.reject(new Error('s3cret')) }], answering('x')],
		[
			'a backend',
			[],
			{
				handle: () => {
					throw new Error('s3cret');
				},
			},
		],
		[
			'a backend behind a waiting policy',
			[{ request: async () => undefined }],
			{
				handle: () => {
					throw new Error('s3cret');
				},
			},
		],
	] as [string, Policy[], Backend][])(
		'answers what %s throws with 500 and reports it',
		async (_name, policies, backend) => {
			const running = await serve(policies, [[1, backend]]);
			const reply = await call(running);
			expect([reply.status, await reply.text()]).toEqual([500, 'internal error']);
			expect(running.faults).toMatchObject([{ message: 's3cret' }]);
		},
	);
});

describe('the choice of a backend', () => {
	test('spares the backend when the client has gone meanwhile', async () => {
		let handled = 0;
		let release: () => void = () => undefined;
		const gate = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
		const running = await serve([{ request: () => gate }], [[1, { handle: () => void handled++ }]]);
		const abort = new AbortController();
		const reply = call(running, { signal: abort.signal }).catch(() => 'aborted');
		await eventually(() => running.seen.length === 1);
		abort.abort();
		expect(await reply).toBe('aborted');
		await eventually(() => running.ended.length === 1);
		release();
		await gate;
		await new Promise((resolve) => setImmediate(resolve));
		expect(handled).toBe(0);
	});

	test('chooses backends by weight', async () => {
		let next = 0;
		const running = await serve(
			[],
			[
				[1, answering('a')],
				[0, answering('never')],
				[3, answering('b')],
			],
			() => next,
		);
		const got: string[] = [];
		for (next of [0, 0.24, 0.25, 0.99]) got.push(await (await call(running)).text());
		expect(got).toEqual(['a', 'a', 'b', 'b']);
	});

	test.each([[[]], [[[0, answering('x')]]]] as [number, Backend][][][])(
		'without a backend that counts answers 500',
		async (weighted) => {
			const reply = await call(await serve([], weighted));
			expect([reply.status, await reply.text()]).toEqual([500, 'no valid backends']);
		},
	);

	test('answers 404 for a host without a listener', async () => {
		const reply = await call(await serve([]), {}, '127.0.0.1');
		expect([reply.status, await reply.text()]).toEqual([404, 'listener not found']);
	});
});

const config: CorsPolicy = {
	allowOrigins: ['http://app.example', 'https://*.team.example:8443'],
	allowMethods: ['GET', 'POST'],
	allowHeaders: ['content-type', 'x-a'],
	exposeHeaders: ['Mcp-Session-Id', 'x-b'],
	allowCredentials: true,
	maxAge: 600,
};
const corsHeaders = (reply: Response) =>
	Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith('access-control') || name === 'vary'));
const preflight = (origin: string) => ({
	method: 'OPTIONS',
	headers: { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'x-z,x-y' },
});

describe('cors', () => {
	test('answers a preflight of an allowed origin with what the policy lists', async () => {
		const reply = await call(await serve([cors(config)]), preflight('http://app.example'));
		expect([reply.status, await reply.text()]).toEqual([200, '']);
		expect(corsHeaders(reply)).toEqual({
			'access-control-allow-origin': 'http://app.example',
			'access-control-allow-methods': 'GET, POST',
			'access-control-allow-headers': 'content-type, x-a',
			'access-control-allow-credentials': 'true',
			'access-control-max-age': '600',
			vary: 'Origin',
		});
	});

	test('echoes what was asked where the policy has a star', async () => {
		const open = {
			...config,
			allowOrigins: ['*'],
			allowMethods: ['*'],
			allowHeaders: ['*'],
			allowCredentials: false,
			maxAge: null,
		};
		const reply = await call(await serve([cors(open)]), preflight('http://any.example'));
		expect(corsHeaders(reply)).toEqual({
			'access-control-allow-origin': 'http://any.example',
			'access-control-allow-methods': 'DELETE',
			'access-control-allow-headers': 'x-z,x-y',
			vary: 'Origin',
		});
	});

	test('answers every OPTIONS of an allowed origin, also one that is no preflight', async () => {
		const reply = await call(await serve([cors(config)]), {
			method: 'OPTIONS',
			headers: { origin: 'http://app.example' },
		});
		expect([reply.status, await reply.text()]).toEqual([200, '']);
	});

	test('answers a refused preflight with 200 and without CORS headers', async () => {
		const reply = await call(await serve([cors(config)]), preflight('http://evil.example'));
		expect([reply.status, await reply.text(), corsHeaders(reply)]).toEqual([200, '', { vary: 'Origin' }]);
	});

	test('lets OPTIONS without Origin go on', async () => {
		expect(await (await call(await serve([cors(config)]), { method: 'OPTIONS' })).text()).toBe('backend');
	});
});

describe('cors on ordinary requests', () => {
	test('adds its headers to an ordinary reply, and to refusals of later policies', async () => {
		const headers = { origin: 'https://a.team.example:8443' };
		const expected = {
			'access-control-allow-origin': 'https://a.team.example:8443',
			'access-control-allow-credentials': 'true',
			'access-control-expose-headers': 'Mcp-Session-Id, x-b',
			vary: 'Origin',
		};
		expect(corsHeaders(await call(await serve([cors(config)]), { headers }))).toEqual(expected);
		const refused = await call(await serve([cors(config), { request: () => refuse(401, 'no', 'JwtAuth') }]), {
			headers,
		});
		expect([refused.status, corsHeaders(refused)]).toEqual([401, expected]);
	});

	test.each([
		'http://evil.example',
		'https://a.team.example',
		'http://a.team.example:8443',
		'https://team.example:8443',
		'https://x/.team.example:8443',
	])('lets an ordinary request of %s go on without CORS headers', async (origin) => {
		const reply = await call(await serve([cors(config)]), { headers: { origin } });
		expect([await reply.text(), corsHeaders(reply)]).toEqual(['backend', {}]);
	});
});

describe('the stats servers', () => {
	const open = () => null;
	const handlers: Record<string, (exchange: Exchange) => void> = {
		metrics: metricsHandler(async () => 'a 1\n', open),
		broken: metricsHandler(() => Promise.reject(new Error('s3cret')), open),
		ready: readinessHandler(() => [], open),
		pending: readinessHandler(() => ['bind/3000', 'admin'], open),
		guarded: readinessHandler(
			() => [],
			() => refuse(403, 'guarded', 'Authorization'),
		),
	};

	test.each([
		['metrics', 'GET', '/metrics', 200, 'a 1\n'],
		['metrics', 'GET', '/stats/prometheus', 200, 'a 1\n'],
		['metrics', 'POST', '/metrics', 405, 'only GET is served here'],
		['metrics', 'GET', '/', 404, 'not found; there is /metrics and /stats/prometheus'],
		['broken', 'GET', '/metrics', 500, 'the metrics cannot be read'],
		['ready', 'GET', '/healthz/ready', 200, 'ready'],
		['ready', 'GET', '/healthz', 404, 'not found; there is /healthz/ready'],
		['pending', 'GET', '/healthz/ready', 500, 'not ready, pending: bind/3000, admin'],
		['guarded', 'GET', '/healthz/ready', 403, 'guarded'],
	])('%s: %s %s', async (name, method, path, status, text) => {
		const running = await start(handlers[name] as (exchange: Exchange) => void);
		servers.push(running);
		const reply = await fetch(`http://127.0.0.1:${running.port}${path}`, { method });
		expect([reply.status, await reply.text()]).toEqual([status, text]);
	});
});
