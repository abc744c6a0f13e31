/** Where a request goes: a route with protection by default, one with pages of its own, the admin port, the metrics. */
export type Port = 'mcp' | 'cors' | 'admin' | 'metrics';

/** A request as a browser, or somebody who plays one, sends it, and how each port has to answer. */
export interface PageCase {
	readonly name: string;
	/** `$port` stands for the port that is asked. Header lines in order, doubled ones included. */
	readonly headers: readonly (readonly [name: string, value: string])[];
	readonly method?: 'GET' | 'POST' | 'OPTIONS';
	/** Status by port; ports that are not named are not asked. */
	readonly status: Partial<Record<Port, number>>;
}

const own = ['host', 'localhost:$port'] as const;
const json = ['content-type', 'application/json'] as const;
const everywhere = (mcp: number, admin = mcp, metrics = mcp) => ({ mcp, cors: mcp, admin, metrics });

/** Names that a page of another site can have, or that only look like names of this machine. */
const foreignHosts: readonly string[] = [
	...['evil.example', 'evil.example:$port', 'localhost.evil.example:$port', '127.0.0.1.evil.example:$port'],
	...['localhostx:$port', 'evil-localhost:$port', 'xn--lcalhost-s0a:$port', '0.0.0.0:$port', '0:$port'],
	...['10.0.0.1:$port', '192.168.0.1:$port', '169.254.169.254', '[::]:$port', '[fe80::1]:$port'],
	...['[::ffff:10.0.0.1]:$port', '2130706433:$port', '0x7f000001:$port', '0177.0.0.1:$port', '127.1:$port'],
	...['128.0.0.1:$port', 'allowed.example.evil.example', 'notallowed.example', 'app.example:$port'],
];
/** What is no authority at all: the connection cannot be trusted. */
const brokenHosts: readonly string[] = [
	...['', ' ', 'localhost:$port/@evil.example', 'evil.example@localhost:$port', 'localhost:$port@evil.example'],
	...['localhost:$port, evil.example', 'localhost:$port evil.example', 'localhost:', 'localhost:99999', 'localhost:-1'],
	...['local host:$port', 'localhost:$port#x', 'localhost:$port?x', '[::1:$port', '::1', '[::1%25lo]:$port', '..', '.'],
	...['localhost\\evil.example', 'localhost:$portx'],
];
/** Names that the configuration allows. */
const allowedHosts: readonly string[] = ['allowed.example', 'allowed.example:$port', 'sub.under.example'];
/** Names that only this machine can mean. */
const ownHosts: readonly string[] = [
	...['localhost:$port', 'localhost', 'LOCALHOST:$port', 'localhost.:$port', '127.0.0.1:$port', '127.0.0.2:$port'],
	...['[::1]:$port', '[0:0:0:0:0:0:0:1]:$port', 'app.localhost:$port', 'localhost:1'],
];
const foreignOrigins: readonly string[] = [
	...[
		'http://evil.example',
		'https://evil.example',
		'null',
		'http://localhost.evil.example',
		'http://localhost:$port/',
	],
	...['http://localhost:$port/path', 'http://evil.example:$port', 'file://', 'chrome-extension://abcdef', 'data:'],
	...['http://evil.example http://localhost:$port', 'http://localhost:$port, http://evil.example', 'localhost:$port'],
	...[
		'http://user@localhost:$port',
		'http://0.0.0.0:$port',
		'http://[::]:$port',
		'http://127.1:$port',
		'//localhost:$port',
	],
	...[
		'',
		'*',
		'http://localhost:99999',
		'javascript:alert(1)',
		'http://app.example.evil.example',
		'http://2130706433:$port',
	],
];

/** What every port must refuse, and what it must not. */
export const pageCases: readonly PageCase[] = [
	...foreignHosts.map((host) => of(`Host ${host}`, [['host', host]], everywhere(403))),
	...brokenHosts.map((host) => of(`Host ${JSON.stringify(host)}`, [['host', host]], everywhere(400))),
	...ownHosts.map((host) => of(`Host ${host} is taken`, [['host', host]], everywhere(200))),
	// Behind such a name may be a proxy, so that the admin port wants its token.
	...allowedHosts.map((host) => of(`Host ${host} is taken`, [['host', host]], everywhere(200, 403, 200))),
	...foreignOrigins.map((origin) => of(`Origin ${JSON.stringify(origin)}`, [own, ['origin', origin]], everywhere(403))),
	...foreignOrigins
		.slice(0, 6)
		.map((origin) =>
			of(`POST from ${origin}`, [own, json, ['origin', origin]], { mcp: 403, cors: 403, admin: 403 }, 'POST'),
		),
	of('no Host', [], everywhere(400)),
	of('two hosts', [own, ['host', 'evil.example']], everywhere(400)),
	of('two hosts, the foreign one first', [['host', 'evil.example'], own], everywhere(400)),
	of('the same host twice', [own, own], everywhere(400)),
	of('two origins', [own, ['origin', 'http://localhost:$port'], ['origin', 'http://evil.example']], everywhere(400)),
	of('a page of another port of this machine', [own, ['origin', 'http://localhost:1']], {
		mcp: 200,
		cors: 200,
		admin: 403,
		metrics: 200,
	}),
	of('a page that the route allows', [own, ['origin', 'https://app.example']], {
		mcp: 403,
		cors: 200,
		admin: 403,
		metrics: 403,
	}),
	of(
		'that page with a foreign host',
		[
			['host', 'app.example'],
			['origin', 'https://app.example'],
		],
		everywhere(403),
	),
	of('that page by another scheme', [own, ['origin', 'http://app.example']], everywhere(403)),
	of(
		'a forwarded host',
		[
			['host', 'evil.example'],
			['x-forwarded-host', 'localhost:$port'],
		],
		everywhere(403),
	),
	of('a host that was forwarded', [own, ['x-forwarded-host', 'evil.example']], { admin: 403 }),
	of(
		'a foreign origin with a referrer of ours',
		[own, ['origin', 'http://evil.example'], ['referer', 'http://localhost:$port/ui/']],
		everywhere(403),
	),
	of('marked as cross-site', [own, ['sec-fetch-site', 'cross-site']], { admin: 403 }),
	of('marked as same-site', [own, ['sec-fetch-site', 'same-site']], { admin: 403 }),
	of('marked with nonsense', [own, ['sec-fetch-site', 'SAME-ORIGIN, cross-site']], { admin: 403 }),
	of(
		'a form',
		[own, ['content-type', 'application/x-www-form-urlencoded']],
		{ mcp: 415, cors: 415, admin: 415 },
		'POST',
	),
	of(
		'a form with a file',
		[own, ['content-type', 'multipart/form-data; boundary=x']],
		{ mcp: 415, cors: 415, admin: 415 },
		'POST',
	),
	of('plain text', [own, ['content-type', 'text/plain']], { mcp: 415, cors: 415, admin: 415 }, 'POST'),
	of(
		'plain text that mentions JSON',
		[own, ['content-type', 'text/plain; application/json']],
		{ mcp: 415, cors: 415, admin: 415 },
		'POST',
	),
	of('no type', [own], { mcp: 415, cors: 415, admin: 415 }, 'POST'),
	of('two types', [own, json, ['content-type', 'text/plain']], { mcp: 400, cors: 400, admin: 400 }, 'POST'),
	of(
		'a write with a made-up cookie',
		[own, json, ['cookie', 'agentgateway_admin_$port=00'], ['origin', 'http://localhost:$port']],
		{ admin: 403 },
		'POST',
	),
	of(
		'a write with a made-up token',
		[['host', 'evil.example'], json, ['authorization', 'Bearer x']],
		{ admin: 403 },
		'POST',
	),
	of(
		'a preflight of a foreign page',
		[own, ['origin', 'http://evil.example'], ['access-control-request-method', 'POST']],
		{ admin: 403 },
		'OPTIONS',
	),
];

function of(
	name: string,
	headers: PageCase['headers'],
	status: PageCase['status'],
	method: PageCase['method'] = 'GET',
): PageCase {
	return { name, headers, status, method };
}
