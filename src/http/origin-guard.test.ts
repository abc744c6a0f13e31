import { describe, expect, test } from 'vitest';
import { compileOriginGuard, type OriginRule } from './origin-guard.ts';

const bare: OriginRule = { protection: null, allowedHosts: [], publicUrl: null, allowOrigins: [] };
const proxied: OriginRule = {
	...bare,
	allowedHosts: ['gw.example', 'other.example:8443', '*.apps.example', '[2001:db8::1]'],
};
const published: OriginRule = { ...bare, publicUrl: 'https://gw.example/mcp' };
const star: OriginRule = { ...bare, allowOrigins: ['*'] };
const some: OriginRule = { ...bare, allowOrigins: ['http://app.example:5173', 'https://*.team.example'] };
const always: OriginRule = { ...bare, protection: true };
const off: OriginRule = { ...bare, protection: false };

type Case = [
	name: string,
	rule: OriginRule,
	host: string,
	origin: string | string[] | undefined,
	passes: boolean,
	overLoopback?: boolean,
];

const none = undefined;
const cases: Case[] = [
	// Host, over loopback
	['localhost', bare, 'localhost:3000', none, true],
	['localhost without port', bare, 'localhost', none, true],
	['127.0.0.1', bare, '127.0.0.1:3000', none, true],
	['127.8.8.8', bare, '127.8.8.8:3000', none, true],
	['[::1]', bare, '[::1]:3000', none, true],
	['a name below localhost', bare, 'app.localhost:3000', none, true],
	['a rebound name', bare, 'evil.com:3000', none, false],
	['a name that begins like localhost', bare, 'localhost.evil.com:3000', none, false],
	['a name that ends like localhost', bare, 'evillocalhost:3000', none, false],
	['a name that begins like 127.0.0.1', bare, '127.0.0.1.nip.io:3000', none, false],
	['0.0.0.0', bare, '0.0.0.0:3000', none, false],
	['[::]', bare, '[::]:3000', none, false],
	['a LAN address', bare, '192.168.1.5:3000', none, false],
	['no host', bare, '', none, false],
	['a broken host', bare, 'localhost:3000/@evil.com', none, false],
	// configured hosts
	['an allowed host', proxied, 'gw.example', none, true],
	['an allowed host with any port', proxied, 'gw.example:9999', none, true],
	['an allowed host with its port', proxied, 'other.example:8443', none, true],
	['an allowed host with another port', proxied, 'other.example:1', none, false],
	['an allowed host that names a port, without one', proxied, 'other.example', none, false],
	['a name below an allowed suffix', proxied, 'a.b.apps.example', none, true],
	['the suffix itself', proxied, 'apps.example', none, false],
	['a name that only ends like the suffix', proxied, 'evilapps.example', none, false],
	['an allowed IPv6 address', proxied, '[2001:db8::1]:3000', none, true],
	['a name that contains an allowed host', proxied, 'gw.example.evil.com', none, false],
	['the host of publicUrl', published, 'gw.example', none, true],
	['the host of publicUrl with another port', published, 'gw.example:3000', none, true],
	['another host than that of publicUrl', published, 'gw.example.evil.com', none, false],
	// Origin, over loopback
	['same origin', bare, 'localhost:3000', 'http://localhost:3000', true],
	['another loopback origin', bare, 'localhost:3000', 'http://127.0.0.1:5173', true],
	['an IPv6 loopback origin', bare, '127.0.0.1:3000', 'http://[::1]:15000', true],
	['a foreign origin', bare, 'localhost:3000', 'http://evil.com', false],
	['a foreign origin with the same port', bare, 'localhost:3000', 'http://evil.com:3000', false],
	['a foreign origin that names localhost', bare, 'localhost:3000', 'http://localhost.evil.com:3000', false],
	['a foreign origin with user info', bare, 'localhost:3000', 'http://localhost:3000@evil.com', false],
	['a rebound name as both', bare, 'evil.com:3000', 'http://evil.com:3000', false],
	['null', bare, 'localhost:3000', 'null', false],
	['an empty origin', bare, 'localhost:3000', '', false],
	['two origins joined', bare, 'localhost:3000', 'http://localhost:3000, http://evil.com', false],
	['two origins', bare, 'localhost:3000', ['http://localhost:3000', 'http://evil.com'], false],
	['an origin with a path', bare, 'localhost:3000', 'http://localhost:3000/x', false],
	['a browser extension', bare, 'localhost:3000', 'chrome-extension://abcdef', false],
	['a file', bare, 'localhost:3000', 'file://', false],
	['0.0.0.0 as origin', bare, 'localhost:3000', 'http://0.0.0.0:8000', false],
	// same origin behind a proxy
	['same origin on an allowed host', proxied, 'gw.example', 'http://gw.example', true],
	['same origin behind TLS', proxied, 'gw.example', 'https://gw.example', true],
	['same host, another port', proxied, 'gw.example', 'https://gw.example:8443', false],
	['same host, default port written in Host', proxied, 'gw.example:443', 'https://gw.example', true],
	['loopback page, public host', proxied, 'gw.example', 'http://localhost:5173', false],
	['the origin of publicUrl to a loopback host', published, 'localhost:3000', 'https://gw.example', true],
	['the origin of publicUrl without TLS', published, 'localhost:3000', 'http://gw.example', false],
	['another origin than that of publicUrl', published, 'localhost:3000', 'https://evil.com', false],
	// cors
	['a star relaxes Origin', star, 'localhost:3000', 'http://evil.com', true],
	['a star does not relax Host', star, 'evil.com:3000', 'http://evil.com:3000', false],
	['a star does not allow null', star, 'localhost:3000', 'null', false],
	['a star does not allow two origins', star, 'localhost:3000', 'http://a, http://b', false],
	['an allowed origin', some, 'localhost:3000', 'http://app.example:5173', true],
	['an allowed origin with another port', some, 'localhost:3000', 'http://app.example:5174', false],
	['an allowed origin with another scheme', some, 'localhost:3000', 'https://app.example:5173', false],
	['a wildcard origin', some, 'localhost:3000', 'https://a.team.example', true],
	['a wildcard origin with another scheme', some, 'localhost:3000', 'http://a.team.example', false],
	['a trick against the wildcard', some, 'localhost:3000', 'https://evil.com/.team.example', false],
	['an allowed origin does not allow a host', some, 'app.example:5173', 'http://app.example:5173', false],
	// not over loopback
	['automatic: any host from elsewhere', bare, 'gw.corp:3000', none, true, false],
	['automatic: any origin from elsewhere', bare, 'gw.corp:3000', 'http://evil.com', true, false],
	['always: a foreign host from elsewhere', always, 'gw.corp:3000', none, false, false],
	['always: a loopback name from elsewhere', always, 'localhost:3000', none, true, false],
	['always: an allowed host from elsewhere', { ...proxied, protection: true }, 'gw.example', none, true, false],
	[
		'always: a foreign origin from elsewhere',
		{ ...proxied, protection: true },
		'gw.example',
		'http://evil.com',
		false,
		false,
	],
	['always: over loopback too', always, 'evil.com', none, false],
	['off: a rebound name', off, 'evil.com:3000', 'http://evil.com:3000', true],
	['off: null', off, 'localhost', 'null', true],
];

describe('the origin guard', () => {
	test.each(cases)('%s', (_name, rule, host, origin, passes, overLoopback = true) => {
		const refusal = compileOriginGuard(rule)({ host, headers: { origin }, overLoopback });
		expect(refusal === null ? 'passes' : refusal.status).toBe(passes ? 'passes' : 403);
	});

	test('names the remedy for a host', () => {
		const refusal = compileOriginGuard(bare)({ host: 'gw.example', headers: {}, overLoopback: true });
		expect(refusal?.message).toContain('"gw.example"');
		expect(refusal?.message).toContain('config.allowedHosts');
	});

	test('names the remedy for an origin, and quotes what it shows', () => {
		const refusal = compileOriginGuard(bare)({
			host: 'localhost',
			headers: { origin: `x"\u0007${'y'.repeat(500)}` },
			overLoopback: true,
		});
		expect(refusal?.message).toContain('cors.allowOrigins');
		expect(refusal?.message).toContain('"x\\"\\u0007');
		expect(refusal?.message.length).toBeLessThan(400);
	});
});
