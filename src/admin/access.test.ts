import { describe, expect, test } from 'vitest';
import { carriesJson, cookieName, decideAccess } from './access.ts';
import type { AccessRequest } from './access.ts';

const rules = {
	adminToken: 'the-token',
	allowedHosts: ['gw.internal', 'admin.example:8443'],
	localCookie: 'local-cookie',
	remoteCookie: 'remote-cookie',
};

const here = 'localhost:15000';
const local = 'agentgateway_admin_15000=local-cookie';
const remote = 'agentgateway_admin_15000=remote-cookie';
const same = { 'sec-fetch-site': 'same-origin' };
const origin = { origin: 'http://localhost:15000' };

type Row = [title: string, request: Partial<AccessRequest>, verdict: 'allow' | 'redirect' | 'refuse', more?: string];

function request(part: Partial<AccessRequest>): AccessRequest {
	return { method: 'GET', path: '/api/state', query: '', host: here, overLoopback: true, headers: {}, ...part };
}

const program: Row[] = [
	['curl', {}, 'allow'],
	['curl by address', { host: '127.0.0.1:15000' }, 'allow'],
	['curl by another loopback address', { host: '127.1.2.3:15000' }, 'allow'],
	['curl by IPv6', { host: '[::1]:15000' }, 'allow'],
	['curl through a forwarded port', { host: 'localhost:9999' }, 'allow'],
	['curl without port', { host: 'localhost' }, 'allow'],
	['curl writes', { method: 'POST', path: '/api/config' }, 'allow'],
	['curl deletes', { method: 'DELETE', path: '/api/playground/sessions/1' }, 'allow'],
	['a stray Authorization', { headers: { authorization: 'Bearer other' } }, 'allow'],
	['no Host', { host: '' }, 'refuse', 'Host'],
	['Host with a path', { host: 'localhost:15000/@evil.example' }, 'refuse', 'Host'],
	['Host with user', { host: 'localhost@evil.example' }, 'refuse', 'Host'],
	['Host with a space', { host: 'localhost evil' }, 'refuse', 'Host'],
	['Host list', { host: 'localhost,evil.example' }, 'refuse', 'Host'],
	['Host with a long port', { host: 'localhost:150000' }, 'refuse', 'Host'],
	['rebinding', { host: 'evil.example:15000' }, 'refuse', 'evil.example'],
	['rebinding of a page', { host: 'evil.example', path: '/ui/' }, 'refuse', 'evil.example'],
	['a loopback name in front', { host: 'localhost.evil.example' }, 'refuse', 'loopback'],
	['a loopback address in front', { host: '127.0.0.1.evil.example' }, 'refuse', 'loopback'],
	['no loopback number', { host: '127.0.0.256' }, 'refuse', 'loopback'],
	['every address', { host: '0.0.0.0:15000' }, 'refuse', 'loopback'],
	['a name below localhost', { host: 'gw.localhost:15000' }, 'allow'],
	['short address', { host: '127.1' }, 'refuse', 'loopback'],
	['IPv4 in IPv6', { host: '[::ffff:127.0.0.1]' }, 'refuse', 'loopback'],
	['decimal address', { host: '2130706433' }, 'refuse', 'loopback'],
	['rebinding with the token', { host: 'evil.example', headers: { authorization: 'Bearer the-token' } }, 'refuse'],
	['behind a proxy on this machine', { headers: { 'x-forwarded-for': '192.0.2.1' } }, 'refuse', 'token'],
	['behind a proxy (Forwarded)', { headers: { forwarded: 'for=192.0.2.1' } }, 'refuse', 'token'],
	['behind a proxy (Via)', { headers: { via: '1.1 proxy' } }, 'refuse', 'token'],
	['behind a proxy (X-Real-IP)', { headers: { 'x-real-ip': '192.0.2.1' } }, 'refuse', 'token'],
	['behind a proxy, page', { path: '/ui/', headers: { 'x-forwarded-for': '192.0.2.1' } }, 'refuse', 'token'],
	['an allowed Host without token', { host: 'gw.internal' }, 'refuse', 'token'],
	['an allowed Host with token', { host: 'gw.internal', headers: { authorization: 'Bearer the-token' } }, 'allow'],
	['an allowed Host, any port', { host: 'gw.internal:1', headers: { authorization: 'Bearer the-token' } }, 'allow'],
	['allowed with its port', { host: 'admin.example:8443', headers: { authorization: 'Bearer the-token' } }, 'allow'],
	['allowed on another port only', { host: 'admin.example', headers: { authorization: 'Bearer the-token' } }, 'refuse'],
];

const browser: Row[] = [
	['page', { path: '/ui/', headers: { 'sec-fetch-site': 'none' } }, 'allow', 'local-cookie'],
	['page, deep link', { path: '/ui/backends/', headers: { 'sec-fetch-site': 'none' } }, 'allow', 'local-cookie'],
	['page with its cookie', { path: '/ui/', headers: { cookie: local } }, 'allow', ''],
	['page with an old cookie', { path: '/ui/', headers: { cookie: `${local}x` } }, 'allow', 'local-cookie'],
	['root', { path: '/' }, 'allow', 'local-cookie'],
	['file of the page', { path: '/ui/assets/a.js', headers: { ...same } }, 'allow', 'local-cookie'],
	[
		'page by a link of another site',
		{
			path: '/ui/',
			headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
		},
		'allow',
		'local-cookie',
	],
	[
		'page in a frame',
		{
			path: '/ui/',
			headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
		},
		'refuse',
		'another site',
	],
	['file as foreign script', { path: '/ui/assets/a.js', headers: { 'sec-fetch-site': 'cross-site' } }, 'refuse'],
	['file from another port', { path: '/ui/assets/a.js', headers: { 'sec-fetch-site': 'same-site' } }, 'refuse'],
	['page fetched by another origin', { path: '/ui/', headers: { origin: 'http://evil.example' } }, 'refuse'],
	['API with cookie', { headers: { ...same, cookie: local } }, 'allow'],
	['API with cookie among others', { headers: { ...same, cookie: `a=b; ${local}; c=d` } }, 'allow'],
	[
		'API with a planted second cookie',
		{ headers: { ...same, cookie: `agentgateway_admin_15000=x; ${local}` } },
		'allow',
	],
	['API typed with cookie', { headers: { 'sec-fetch-site': 'none', cookie: local } }, 'allow'],
	['API without cookie', { headers: { ...same } }, 'refuse', '/ui/'],
	['API with an old cookie', { headers: { ...same, cookie: 'agentgateway_admin_15000=old' } }, 'refuse', '/ui/'],
	['API with an empty cookie', { headers: { ...same, cookie: 'agentgateway_admin_15000=' } }, 'refuse', '/ui/'],
	[
		'API with the cookie of another port',
		{ headers: { ...same, cookie: 'agentgateway_admin_15001=local-cookie' } },
		'refuse',
	],
	['API typed without cookie', { headers: { 'sec-fetch-site': 'none' } }, 'refuse', '/ui/'],
	['API from another port', { headers: { 'sec-fetch-site': 'same-site', cookie: local } }, 'refuse', 'another site'],
	['API from another site', { headers: { 'sec-fetch-site': 'cross-site', cookie: local } }, 'refuse', 'another site'],
	[
		'API by a link of another site',
		{
			headers: {
				'sec-fetch-site': 'cross-site',
				'sec-fetch-mode': 'navigate',
				'sec-fetch-dest': 'document',
				cookie: local,
			},
		},
		'refuse',
		'another site',
	],
	['unheard-of fetch metadata', { headers: { 'sec-fetch-site': 'SAME-ORIGIN', cookie: local } }, 'refuse'],
	['foreign Origin', { headers: { origin: 'http://evil.example', cookie: local } }, 'refuse', 'Origin'],
	['Origin of another port', { headers: { origin: 'http://localhost:3000', cookie: local } }, 'refuse', 'Origin'],
	['Origin of a dev server', { headers: { origin: 'http://localhost:19000', cookie: local } }, 'refuse', 'Origin'],
	[
		'the default port, once written',
		{ host: 'localhost:80', headers: { origin: 'http://localhost', cookie: local.replace('15000', '80') } },
		'allow',
	],
	['Origin by another loopback name', { headers: { origin: 'http://127.0.0.1:15000', cookie: local } }, 'refuse'],
	['Origin null', { headers: { origin: 'null', cookie: local } }, 'refuse', 'Origin'],
	['Origin twice', { headers: { origin: ['http://localhost:15000', 'http://evil.example'] } }, 'refuse', 'Origin'],
	['Origin joined', { headers: { origin: 'http://localhost:15000, http://evil.example' } }, 'refuse', 'Origin'],
	['Origin with https', { headers: { origin: 'https://localhost:15000', cookie: local } }, 'refuse', 'Origin'],
	['Origin empty', { headers: { origin: '', cookie: local } }, 'refuse', 'Origin'],
	['foreign Origin with the token', { headers: { origin: 'http://a', authorization: 'Bearer the-token' } }, 'refuse'],
	['foreign Origin asks for leave', { method: 'OPTIONS', headers: { origin: 'http://a' } }, 'refuse', 'Origin'],
	['write', { method: 'POST', headers: { ...same, ...origin, cookie: local } }, 'allow'],
	['write without cookie', { method: 'POST', headers: { ...same, ...origin } }, 'refuse', '/ui/'],
	['write without Origin', { method: 'POST', headers: { ...same, cookie: local } }, 'refuse', 'Origin'],
	['write by a typed address', { method: 'POST', headers: { 'sec-fetch-site': 'none', cookie: local } }, 'refuse'],
	['write from a form elsewhere', { method: 'POST', headers: { origin: 'null' } }, 'refuse', 'Origin'],
	['write to a page path', { method: 'POST', path: '/ui/', headers: { ...same, ...origin } }, 'refuse', '/ui/'],
	['API with Origin and token', { headers: { ...origin, authorization: 'Bearer the-token' } }, 'allow'],
];

const far = { overLoopback: false, host: '10.0.0.5:15000' };
const farOrigin = { origin: 'http://10.0.0.5:15000' };

const elsewhere: Row[] = [
	['nothing', { ...far }, 'refuse', 'token'],
	['a loopback Host', { overLoopback: false }, 'refuse', 'token'],
	['token', { ...far, headers: { authorization: 'Bearer the-token' } }, 'allow'],
	['token, scheme in lower case', { ...far, headers: { authorization: 'bearer the-token' } }, 'allow'],
	['wrong token', { ...far, headers: { authorization: 'Bearer the-tokem' } }, 'refuse', 'token'],
	['longer token', { ...far, headers: { authorization: 'Bearer the-token2' } }, 'refuse', 'token'],
	['no token after the scheme', { ...far, headers: { authorization: 'Bearer ' } }, 'refuse', 'token'],
	['another scheme', { ...far, headers: { authorization: 'Basic the-token' } }, 'refuse', 'token'],
	['token twice', { ...far, headers: { authorization: ['Bearer the-token', 'Bearer x'] } }, 'refuse', 'token'],
	['token in the URL of the API', { ...far, query: 'token=the-token' }, 'refuse', 'token'],
	['write by token', { ...far, method: 'POST', headers: { authorization: 'Bearer the-token' } }, 'allow'],
	['page', { ...far, path: '/ui/' }, 'refuse', 'token'],
	['root', { ...far, path: '/' }, 'refuse', 'token'],
	['file of the page', { ...far, path: '/ui/assets/a.js' }, 'refuse', 'token'],
	['page with token', { ...far, path: '/ui/', query: 'token=the-token' }, 'redirect', '/ui/'],
	['deep page with token', { ...far, path: '/ui/x', query: 'a=1&token=the-token' }, 'redirect', '/ui/x?a=1'],
	['root with token', { ...far, path: '/', query: 'token=the-token' }, 'redirect', '/ui/'],
	['page with wrong token', { ...far, path: '/ui/', query: 'token=x' }, 'refuse', 'not the one'],
	['page with empty token', { ...far, path: '/ui/', query: 'token=' }, 'refuse', 'not the one'],
	['page with cookie', { ...far, path: '/ui/', headers: { cookie: remote } }, 'allow', ''],
	['page with the cookie of this machine', { ...far, path: '/ui/', headers: { cookie: local } }, 'refuse', 'token'],
	['API with cookie', { ...far, headers: { cookie: remote } }, 'allow'],
	['API with the cookie of this machine', { ...far, headers: { cookie: local } }, 'refuse', 'token'],
	['API with cookie from another site', { ...far, headers: { cookie: remote, origin: 'http://a' } }, 'refuse'],
	['write with cookie', { ...far, method: 'POST', headers: { cookie: remote, ...farOrigin } }, 'allow'],
	['write with cookie, no Origin', { ...far, method: 'POST', headers: { cookie: remote } }, 'refuse', 'Origin'],
	[
		'write through a proxy with TLS',
		{ ...far, method: 'POST', headers: { cookie: remote, origin: 'https://10.0.0.5:15000' } },
		'allow',
	],
];

function shows({ kind, ...rest }: ReturnType<typeof decideAccess>): string {
	if (kind === 'allow') return 'cookie' in rest ? (rest.cookie ?? '') : '';
	return JSON.stringify(rest);
}

describe.each([
	['program on this machine', program],
	['browser on this machine', browser],
	['from elsewhere', elsewhere],
])('%s', (_group, rows) => {
	test.each(rows)('%s', (_title, part, verdict, more) => {
		const access = decideAccess(request(part), rules);
		expect(access.kind, JSON.stringify(access)).toBe(verdict);
		if (more === '') expect(shows(access)).toBe('');
		else if (more !== undefined) expect(shows(access)).toContain(more);
		if (access.kind === 'refuse') expect(access.error.remedy).not.toBe('');
	});
});

test('an empty token opens nothing', () => {
	const empty = { ...rules, adminToken: '' };
	for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer x' }]) {
		expect(decideAccess(request({ ...far, headers }), empty).kind).toBe('refuse');
	}
	expect(decideAccess(request({ ...far, path: '/ui/', query: 'token=' }), empty).kind).toBe('refuse');
});

test('a redirect never leads to another machine', () => {
	const access = decideAccess(request({ ...far, path: '/ui/', query: 'token=the-token&x=//evil' }), rules);
	expect(access).toEqual({ kind: 'redirect', cookie: 'remote-cookie', location: '/ui/?x=%2F%2Fevil' });
});

test('a token in a local page address is taken out of it', () => {
	const access = decideAccess(request({ path: '/ui/', query: 'token=anything' }), rules);
	expect(access).toEqual({ kind: 'redirect', cookie: 'local-cookie', location: '/ui/' });
});

test('cookie names differ by port', () => {
	expect(cookieName('localhost:1')).toBe('agentgateway_admin_1');
	expect(cookieName('localhost')).toBe('agentgateway_admin_default');
});

test.each([
	['GET', undefined, true],
	['HEAD', undefined, true],
	['POST', undefined, false],
	['POST', 'text/plain', false],
	['POST', 'application/x-www-form-urlencoded', false],
	['POST', 'application/jsonp', false],
	['POST', 'text/plain; application/json', false],
	['POST', 'application/json', true],
	['POST', 'Application/JSON; charset=utf-8', true],
	['PUT', undefined, false],
	['DELETE', undefined, true],
	['DELETE', 'text/plain', false],
])('%s with %s', (method, type, expected) => {
	expect(carriesJson({ method, headers: { 'content-type': type } })).toBe(expected);
});
