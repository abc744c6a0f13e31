import { expect, test } from 'vitest';
import { masked, maskerFor, maskSecrets } from './mask.ts';
import { secretsIn } from './secret-texts.ts';

test('every value of env is hidden, its names stay', () => {
	expect(maskSecrets({ stdio: { cmd: 'x', env: { API_KEY: 'k', TZ: 'Europe/Berlin', EMPTY: '' } } })).toEqual({
		stdio: { cmd: 'x', env: { API_KEY: masked, TZ: masked, EMPTY: '' } },
	});
});

test.each([
	'token',
	'adminToken',
	'admin_token',
	'bearerToken',
	'Authorization',
	'password',
	'passwd',
	'clientSecret',
	'client-secret',
	'apiKey',
	'api_key',
	'X-Api-Key',
	'privateKey',
	'sessionKey',
	'SESSION_KEY',
	'cookie',
	'accessToken',
	'credentials',
])('member %s is hidden', (name) => {
	expect(maskSecrets({ [name]: 'canary-value' })).toEqual({ [name]: masked });
});

test.each(['key', 'name', 'path', 'keys', 'author', 'cmd', 'tokenizer', 'maxTokensPerMinute', 'bind', 'passthrough'])(
	'member %s stays',
	(name) => {
		expect(maskSecrets({ [name]: 'value-value' })).toEqual({ [name]: 'value-value' });
	},
);

test('references to the environment say nothing and stay', () => {
	const config = { token: '$TOKEN', password: '${PASS}', apiKey: '${KEY:-canary}', secret: 'a$B' };
	expect(maskSecrets(config)).toEqual({ ...config, apiKey: masked, secret: masked });
});

test.each([
	[
		['--api-key', 'canary', '--verbose'],
		['--api-key', masked, '--verbose'],
	],
	[
		['--token=canary', '-v'],
		[`--token=${masked}`, '-v'],
	],
	[
		['--url', 'https://u:canary@h/p'],
		['--url', `https://u:${masked}@h/p`],
	],
	[['https://h/p?a=1&api_key=canary&b=2'], [`https://h/p?a=1&api_key=${masked}&b=2`]],
	[
		['-H', 'Authorization: Bearer canary-canary'],
		['-H', `Authorization: Bearer ${masked}`],
	],
	[
		['mcp-server-time', '--local-timezone=UTC'],
		['mcp-server-time', '--local-timezone=UTC'],
	],
])('arguments %j', (args, expected) => {
	expect(maskSecrets({ args })).toEqual({ args: expected });
});

test('known secrets are hidden wherever they stand, the longer one whole', () => {
	expect(maskSecrets({ a: 'x-12345678-y', b: ['123456789'] }, ['12345678', '123456789'])).toEqual({
		a: `x-${masked}-y`,
		b: [masked],
	});
});

test('a secret of env is hidden in the arguments of the same document', () => {
	expect(maskSecrets({ args: ['use canary-secret now'], env: { MY_TOKEN: 'canary-secret' } })).toEqual({
		args: [`use ${masked} now`],
		env: { MY_TOKEN: masked },
	});
});

test('short known values do not blot out the document', () => {
	expect(maskSecrets({ a: 'true story' }, ['true', ''])).toEqual({ a: 'true story' });
});

test('numbers, lists and objects under a secret name', () => {
	expect(maskSecrets({ token: 1, secrets: ['a', { b: 'c' }], tokens: null })).toEqual({
		token: masked,
		secrets: [masked, { b: masked }],
		tokens: null,
	});
});

test('the original is not changed and `__proto__` stays a plain member', () => {
	const value: unknown = JSON.parse('{"__proto__": {"token": "x"}, "env": {"A": "b"}}');
	const copy = maskSecrets(value);
	expect(JSON.stringify(copy)).toBe(`{"__proto__":{"token":"${masked}"},"env":{"A":"${masked}"}}`);
	expect(JSON.stringify(value)).toContain('"b"');
});

test('credentials in the path of a target that is written in parts', () => {
	const target = { host: 'h', port: 1, path: '/mcp?api_key=hidden&x=1' };
	expect(maskSecrets(target)).toEqual({ ...target, path: '/mcp?api_key=<redacted>&x=1' });
});

test.each(['?', '?a'])('a line of many %s is masked in little time', (one) => {
	const line = `/${one.repeat(16_000 / one.length)}`;
	const began = performance.now();
	maskerFor([])(line);
	expect(performance.now() - began).toBeLessThan(50);
});

test('each line of a secret of several lines is masked', () => {
	const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----';
	expect(maskerFor(secretsIn({ env: { SERVICE_PRIVATE_KEY: key } }))('MIIEvQIBADANBgkqhkiG9w0B')).toBe('<redacted>');
});
