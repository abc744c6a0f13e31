// oxlint-disable no-template-curly-in-string -- the configuration's own variables are written like that
import { describe, expect, test } from 'vitest';
import { type LoadContext, loadConfig } from './load.ts';

const MINIMAL = 'mcp:\n  targets: [{name: time, stdio: {cmd: node}}]\n';

function load(text: string, context: Partial<LoadContext> = {}) {
	return loadConfig({ name: 'c.yaml', text }, { env: {}, foreseenFault: () => null, ...context });
}

function settings(env: Record<string, string>, config = '') {
	const result = load(`${config}${MINIMAL}`, { env });
	return result.ok
		? result.config.settings
		: result.problems.map(({ file, path, message }) => `${file} ${path} ${message}`);
}

describe('environment variables', () => {
	test('win over config', () => {
		const key = 'cd'.repeat(32);
		const config = `config: {adminAddr: 'off', logging: {level: warn, format: text}, enableIpv6: true, session: {key: ${key}}}\n`;
		const env = {
			ADMIN_ADDR: '0.0.0.0:15000',
			STATS_ADDR: 'off',
			READINESS_ADDR: 'unix:/r',
			IPV6_ENABLED: 'false',
			RUST_LOG: 'debug',
			LOG_FORMAT: 'json',
			SESSION_KEY: 'ab'.repeat(32),
			CONNECTION_TERMINATION_DEADLINE: '7s',
			CONNECTION_MIN_TERMINATION_DEADLINE: '1s',
			ADMIN_TOKEN: 't',
		};
		expect(settings(env, config)).toMatchObject({
			adminAddress: { kind: 'tcp', host: '0.0.0.0', port: 15_000 },
			statsAddress: null,
			readinessAddress: { kind: 'unix', path: '/r' },
			ipv6: false,
			logLevel: 'debug',
			logFormat: 'json',
			sessionKey: 'ab'.repeat(32),
			drainDeadline: 7000,
			drainMinimum: 1000,
			adminToken: 't',
		});
	});

	test('an empty variable counts as not set', () => {
		expect(settings({ ADMIN_ADDR: '', LOG_FORMAT: '' })).toMatchObject({
			logFormat: 'text',
			adminAddress: { port: 15_000 },
		});
	});

	test('wrong ones are named, all of them, without the value of a key', () => {
		const wrong = settings({ ADMIN_ADDR: 'x', LOG_FORMAT: 'xml', SESSION_KEY: 's3cret', IPV6_ENABLED: 'yes' });
		expect(wrong).toEqual([
			'<environment> IPV6_ENABLED not true or false: "yes"',
			expect.stringMatching(/^<environment> ADMIN_ADDR not an address: "x"/),
			'<environment> LOG_FORMAT expected text or json, got "xml"',
			expect.stringMatching(/^<environment> SESSION_KEY must be 64 hex characters/),
		]);
	});

	test('without IPv6 the default addresses are IPv4', () => {
		expect(settings({ IPV6_ENABLED: 'false' })).toMatchObject({ statsAddress: { host: '0.0.0.0' } });
	});
});

describe('the document for the admin API', () => {
	test('is the file with its variables unexpanded', () => {
		const result = load(`${MINIMAL}config: {session: {key: "\${KEY}"}}\n`, { env: { KEY: 'ab'.repeat(32) } });
		expect(result).toMatchObject({ ok: true, document: { config: { session: { key: '${KEY}' } } } });
	});

	test('is null when the file is YAML only once expanded', () => {
		expect(load('$ALL', { env: { ALL: MINIMAL } })).toMatchObject({ ok: true, document: null });
	});
});

describe('stdio commands', () => {
	test.each([
		['{cmd: a}', { PATH: '/outer' }, { path: '/outer', cwd: null }],
		['{cmd: a, cwd: b, env: {PATH: /own}}', { PATH: '/outer' }, { path: '/own', cwd: 'b' }],
		['{cmd: a, clear_env: true}', { PATH: '/outer' }, { path: undefined, cwd: null }],
	])('%s is sought where the child will run', (stdio, env, expected) => {
		const asked: unknown[] = [];
		load(`mcp: {targets: [{name: t, stdio: ${stdio}}]}`, {
			env,
			foreseenFault: (program) => {
				asked.push(program);
				return null;
			},
		});
		expect(asked).toEqual([{ command: 'a', ...expected }]);
	});
});

test('a fault inside a value that a variable brought points at the variable', () => {
	const result = load('x: 1\nmcp: {targets: [{name: "${NAME}", stdio: {cmd: node}}]}', {
		env: { NAME: 'A rather long name' },
	});
	expect(result).toMatchObject({ ok: false, problems: [{ line: 1 }, { line: 2, column: 24 }] });
});

test('later faults are found beside earlier ones, whatever part they are in', () => {
	const text = `
binds:
- port: "1"
  listeners: [{routes: [{name: a}, {name: a, hostnames: 3}, {backends: [{backend: b}, {backend: c}]}]}]
backends:
- name: b
  mcp: {targets: [{name: x}]}
- mcp: {targets: []}
`;
	const result = load(text);
	expect(result.ok ? [] : result.problems.map(({ line, path }) => `${line} ${path}`)).toEqual([
		'3 binds[0].port',
		'4 binds[0].listeners[0].routes[1].name',
		'4 binds[0].listeners[0].routes[1].hostnames',
		'4 binds[0].listeners[0].routes[2].backends[1].backend',
		'7 backends[0].mcp.targets[0]',
		'8 backends[1]',
		'8 backends[1].mcp.targets',
	]);
});

test('gateways: the one called default is used unless mcp has a port of its own', () => {
	const routes = (text: string): unknown => {
		const result = load(text);
		return result.ok
			? result.config.binds.map((bind) => [bind.port, bind.listeners.map((one) => one.routes.length)])
			: result.problems;
	};
	expect(routes(`gateways: {default: {port: 4000}}\n${MINIMAL}`)).toEqual([[4000, [1]]]);
	expect(routes(`gateways: {default: {port: 4000}}\n${MINIMAL}  port: 3000\n`)).toEqual([
		[4000, [0]],
		[3000, [1]],
	]);
	expect(routes(`gateways: {web: {port: 4000}}\n${MINIMAL}`)).toEqual([
		[4000, [0]],
		[3000, [1]],
	]);
});

test.each([
	['mappings that lack their keys', `mcp:\n  targets: [${'{}, '.repeat(20_000)}]\n`],
	['unknown keys', `mcp:\n  targets: []\n${Array.from({ length: 20_000 }, (_, at) => `unknown${at}: 1\n`).join('')}`],
	['variables that are not set', `${MINIMAL}# ${'$NOT_SET '.repeat(20_000)}\n`],
])('of tens of thousands of problems the first hundred are told, and how many there are: %s', (_title, text) => {
	const started = performance.now();
	const result = load(text);
	// To find the place of each took half a minute.
	expect(performance.now() - started).toBeLessThan(8000);
	if (result.ok) throw new Error('it was taken');
	expect(result.problems).toHaveLength(101);
	expect(result.problems[100]?.message).toMatch(/^and \d{5} more$/);
	expect(result.problems.slice(0, 100).every(({ line }) => line > 0)).toBe(true);
});
