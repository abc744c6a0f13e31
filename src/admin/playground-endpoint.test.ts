import { expect, test } from 'vitest';
import { findEndpoint } from './playground-endpoint.ts';
import type { RouteView, StateSnapshot } from './state.ts';

interface Given {
	addresses?: string[];
	hostname?: string | null;
	hostnames?: string[];
	path?: string;
}

function state({ addresses = ['0.0.0.0:3000'], hostname = null, hostnames = [], path = '/' }: Given): StateSnapshot {
	const route: RouteView = {
		key: 'default/route0',
		name: 'route0',
		label: 'Route 1',
		hostnames,
		matches: [],
		policies: [],
		backends: [],
		url: '',
		path,
	};
	const listener = { name: 'listener0', gateway: 'default/default', protocol: 'HTTP', hostname, routes: [route] };
	return {
		revision: 1,
		version: '0',
		startedAt: '',
		now: '',
		config: { synchronized: true, since: '', errors: [], needsRestart: [] },
		configSource: '',
		warnings: [],
		binds: [{ key: 'bind/3000', port: 3000, addresses, listeners: [listener] }],
		sessions: 0,
		requests: 0,
		childProcesses: 0,
		memoryBytes: 0,
		pressure: [],
	};
}

const wanted = { bind: 'bind/3000', listener: 'listener0', route: 'default/route0' };

test.each<[string, Given, string, string]>([
	['every IPv4 address', {}, '127.0.0.1:3000', 'http://localhost:3000/'],
	['both families', { addresses: ['[::]:3000', '0.0.0.0:3000'] }, '127.0.0.1:3000', 'http://localhost:3000/'],
	['IPv6 only', { addresses: ['[::]:3000'] }, '::1:3000', 'http://localhost:3000/'],
	['one address', { addresses: ['10.0.0.5:3000'] }, '10.0.0.5:3000', 'http://10.0.0.5:3000/'],
	['the port that is really bound', { addresses: ['127.0.0.1:4567'] }, '127.0.0.1:4567', 'http://localhost:4567/'],
	['path', { path: '/mcp' }, '127.0.0.1:3000', 'http://localhost:3000/mcp'],
	['hostname of the route', { hostnames: ['a.example'] }, '127.0.0.1:3000', 'http://a.example:3000/'],
	['hostname of the listener', { hostname: 'b.example' }, '127.0.0.1:3000', 'http://b.example:3000/'],
	['any host', { hostname: '*' }, '127.0.0.1:3000', 'http://localhost:3000/'],
	[
		'exact inside a wildcard',
		{ hostname: '*.example', hostnames: ['a.example'] },
		'127.0.0.1:3000',
		'http://a.example:3000/',
	],
	[
		'exact listener, wildcard route',
		{ hostname: 'a.b.example', hostnames: ['*.example'] },
		'127.0.0.1:3000',
		'http://a.b.example:3000/',
	],
	[
		'wildcards only: the narrower',
		{ hostname: '*.example', hostnames: ['*.b.example'] },
		'127.0.0.1:3000',
		'http://playground.b.example:3000/',
	],
])('%s', (_title, given, dialled, url) => {
	const endpoint = findEndpoint(state(given), wanted);
	if (typeof endpoint === 'string') throw new Error(endpoint);
	expect(`${endpoint.address}:${endpoint.port}`).toBe(dialled);
	expect(endpoint.url).toBe(url);
	expect(endpoint.url).toBe(`http://${endpoint.host}${endpoint.path}`);
});

test.each([
	['bind', { ...wanted, bind: 'bind/1' }, {}, 'bind/1'],
	['listener', { ...wanted, listener: 'x' }, {}, 'listener `x`'],
	['route', { ...wanted, route: 'x' }, {}, 'route `x`'],
	['address', wanted, { addresses: [] }, 'does not listen'],
])('unknown %s', (_title, connect, given, message) => {
	expect(findEndpoint(state(given), connect)).toContain(message);
});
