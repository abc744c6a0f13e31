import { describe, expect, test } from 'vitest';
import type { Listener, Match, Route } from '../config/ir.ts';
import { isRefusal } from './refusal.ts';
import { Router, type RoutedRequest } from './router.ts';

const path = (kind: Match['path']['kind'], value: string): Match => ({
	path: { kind, value },
	method: null,
	headers: [],
	query: [],
});
const prefix = (value: string) => path('pathPrefix', value);
const any = prefix('/');

function route(name: string, matches: Match[], hostnames: string[] = []): Route {
	return { key: `default/${name}`, name, ruleName: null, hostnames, matches, policies: {}, backends: [], place: '' };
}

function listener(name: string, hostname: string | null, routes: Route[]): Listener {
	return { name, gateway: 'default/default', hostname, protocol: 'HTTP', routes };
}

function routes(...list: Route[]): Router<string> {
	return new Router([listener('l', null, list)], (one) => one.name);
}

function find(router: Router<string>, target: string, more: Partial<RoutedRequest> = {}): string {
	const [at = '', query = ''] = target.split('?');
	const found = router.match({ method: 'GET', path: at, query, host: 'a.example', headers: {}, ...more });
	return isRefusal(found) ? `${found.status} ${found.message}` : found.payload;
}

describe('paths', () => {
	test.each([
		['/mcp', '/mcp', true],
		['/mcp', '/mcp/', true],
		['/mcp', '/mcp/x', true],
		['/mcp', '/mcpx', false],
		['/mcp', '/MCP', false],
		['/mcp', '/', false],
		['/mcp/', '/mcp', true],
		['/mcp/', '/mcp/x', true],
		['/mcp/', '/mcpx', false],
		['/', '/', true],
		['/', '/anything', true],
	])('prefix %s and %s: %s', (value, target, expected) => {
		expect(find(routes(route('r', [prefix(value)])), target)).toBe(expected ? 'r' : '404 route not found');
	});

	test.each([
		['/a', '/a', true],
		['/a', '/a/', false],
		['/a', '/A', false],
	])('exact %s and %s: %s', (value, target, expected) => {
		expect(find(routes(route('r', [path('exact', value)])), target)).toBe(expected ? 'r' : '404 route not found');
	});

	test('a regular expression must match fully', () => {
		const router = routes(route('r', [path('regex', '/v\\d+/x')]));
		expect(find(router, '/v12/x')).toBe('r');
		expect(find(router, '/v12/xy')).toBe('404 route not found');
		expect(find(router, '/a/v12/x')).toBe('404 route not found');
	});

	test('an evil regular expression takes linear time', () => {
		const router = routes(route('r', [path('regex', '/(a+)+b')]));
		const began = performance.now();
		find(router, `/${'a'.repeat(1_900)}`);
		expect(performance.now() - began).toBeLessThan(500);
	});

	test('what an expression would have to read too much of is refused rather than matched by another route', () => {
		const long = 'x'.repeat(2_000);
		const guarded = routes(route('guarded', [path('regex', '/admin/.*')]), route('open', [any]));
		expect(find(guarded, `/admin/${'x'.repeat(1_900)}`)).toBe('guarded');
		expect(find(guarded, `/admin/${long}`)).toMatch(/^414 the path is longer than/);
		expect(find(guarded, `/?${long}`)).toBe('open');
		const header = { name: 'X-Team', kind: 'regex', value: 'b.*' } as const;
		const byHeader = routes(route('guarded', [{ ...any, headers: [header] }]), route('open', [any]));
		expect(find(byHeader, '/', { headers: { 'x-team': `b${long}` } })).toMatch(/^431 the header x-team is longer/);
		expect(find(byHeader, `/${long}`, { headers: { 'x-other': long } })).toBe('open');
		const query = { name: 'v', kind: 'regex', value: 'b.*' } as const;
		const byQuery = routes(route('guarded', [{ ...any, query: [query] }]), route('open', [any]));
		expect(find(byQuery, `/?v=b${long}`)).toMatch(/^414 the path with its query/);
		expect(find(routes(route('open', [prefix('/')])), `/${long}`)).toBe('open');
	});
});

describe('conditions', () => {
	const full: Match = {
		path: { kind: 'pathPrefix', value: '/' },
		method: 'POST',
		headers: [
			{ name: 'X-Team', kind: 'exact', value: 'blue' },
			{ name: ':authority', kind: 'regex', value: 'a\\..*' },
		],
		query: [{ name: 'v', kind: 'regex', value: '[12]' }],
	};
	const router = routes(route('r', [full]));
	const good = { method: 'POST', headers: { 'x-team': 'blue' } };

	test('must all hold', () => {
		expect(find(router, '/?v=1', good)).toBe('r');
		expect(find(router, '/?v=%31', good)).toBe('r');
		expect(find(router, '/?v=1', { ...good, method: 'GET' })).toBe('404 route not found');
		expect(find(router, '/?v=1', { ...good, headers: { 'x-team': 'red' } })).toBe('404 route not found');
		expect(find(router, '/?v=1', { ...good, headers: {} })).toBe('404 route not found');
		expect(find(router, '/?v=12', good)).toBe('404 route not found');
		expect(find(router, '/', good)).toBe('404 route not found');
		expect(find(router, '/?v=1', { ...good, host: 'b.example' })).toBe('404 route not found');
	});

	test('on a header called like a property of objects find nothing', () => {
		const odd: Match = { ...any, headers: [{ name: 'constructor', kind: 'regex', value: '.*' }] };
		expect(find(routes(route('r', [odd])), '/')).toBe('404 route not found');
	});

	test('are alternatives when a route has several matches', () => {
		const two = routes(route('r', [prefix('/a'), prefix('/b')]));
		expect([find(two, '/a'), find(two, '/b'), find(two, '/c')]).toEqual(['r', 'r', '404 route not found']);
	});
});

describe('precedence', () => {
	const post: Match = { ...any, method: 'POST' };
	const header: Match = { ...any, headers: [{ name: 'x', kind: 'exact', value: '1' }] };
	const query: Match = { ...any, query: [{ name: 'q', kind: 'exact', value: '1' }] };
	const request = { method: 'POST', headers: { x: '1' } };

	test.each<[string, string, Route[]]>([
		['exact before a longer prefix', 'b', [route('a', [prefix('/x')]), route('b', [path('exact', '/x/y')])]],
		[
			'exact before a longer expression',
			'b',
			[route('a', [path('regex', '/x/y|/x/yyyy')]), route('b', [path('exact', '/x/y')])],
		],
		['longer prefix first', 'b', [route('a', [prefix('/x')]), route('b', [prefix('/x/y')])]],
		['prefix and expression by length', 'b', [route('a', [prefix('/x')]), route('b', [path('regex', '/x/.')])]],
		['expression and prefix by length', 'b', [route('a', [path('regex', '/..')]), route('b', [prefix('/x/y')])]],
		['path before method', 'b', [route('a', [post]), route('b', [prefix('/x')])]],
		['method before none', 'b', [route('a', [any]), route('b', [post])]],
		['method before headers', 'b', [route('a', [header]), route('b', [post])]],
		['more headers first', 'b', [route('a', [any]), route('b', [header])]],
		['headers before query', 'b', [route('a', [query]), route('b', [header])]],
		['more query first', 'b', [route('a', [any]), route('b', [query])]],
		['route key by text, not by number', 'route10', [route('route2', [any]), route('route10', [any])]],
		['host before path', 'b', [route('a', [path('exact', '/x/y')]), route('b', [any], ['a.example'])]],
		[
			'exact host before wildcard',
			'b',
			[route('a', [prefix('/x/y')], ['*.example']), route('b', [any], ['a.example'])],
		],
		['wildcard before no host', 'b', [route('a', [prefix('/x/y')]), route('b', [any], ['*.example'])]],
	])('%s', (_name, expected, list) => {
		expect(find(routes(...list), '/x/y?q=1', request)).toBe(expected);
		expect(find(routes(...list.toReversed()), '/x/y?q=1', request)).toBe(expected);
	});
});

describe('listeners', () => {
	const router = new Router(
		[
			listener('none', null, [route('none', [any])]),
			listener('short', '*.example', [route('short', [any])]),
			listener('long', '*.a.example', [route('long', [any])]),
			listener('exact', 'x.a.example', [route('exact', [prefix('/only')])]),
		],
		(one, on) => `${on.name}/${one.name}`,
	);
	const at = (host: string, target = '/only') => find(router, target, { host });

	test('are chosen by host: exact, longest wildcard, none', () => {
		expect(at('x.a.example')).toBe('exact/exact');
		expect(at('y.a.example:3000')).toBe('long/long');
		expect(at('z.y.a.example')).toBe('long/long');
		expect(at('a.example')).toBe('short/short');
		expect(at('example')).toBe('none/none');
		expect(at('[::1]:3000')).toBe('none/none');
		expect(at('')).toBe('none/none');
	});

	test('do not fall back to a less specific one', () => {
		expect(at('x.a.example', '/other')).toBe('404 route not found');
	});

	test('that all name other hosts give their own message', () => {
		const strict = new Router([listener('l', 'a.example', [route('r', [any])])], () => 'r');
		expect(find(strict, '/', { host: 'b.example' })).toBe('404 listener not found');
	});
});
