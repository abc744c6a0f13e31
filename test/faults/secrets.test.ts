import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../admin/harness.ts';
import { expect, onTestFinished, test } from 'vitest';
import { mcpConfig, root } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { Secrets } from '../support/secrets.ts';
import { RawClient } from '../http/raw-client.ts';
import { httpFault } from './harness/http-faults.ts';
import { type TestGateway, testGateway } from './harness/test-gateway.ts';

const fixture = join(root, 'test/fixtures/stdio-server.mjs');
/** What the gateway's own environment does not hold, and a child's does. */
const environmentOnly = ['childenv', 'childtoken', 'firstline', 'lastline', 'outside'];
const adminPaths = [
	'/config_dump',
	'/api/config',
	'/config',
	'/api/state',
	'/api/runtime',
	'/logging',
	'/api/nothing',
	'/',
];

function configOf(secrets: Secrets, http: string): string {
	return mcpConfig(`- name: child
  stdio:
    cmd: ${JSON.stringify(process.execPath)}
    args: ${JSON.stringify([fixture, `--api-key=${secrets.text('argument')}`])}
    env:
      CHILD_KEY: ${secrets.text('childenv')}
      CHILD_TOKEN: ${secrets.text('childtoken')}
      CHILD_PRIVATE_KEY: "-----BEGIN KEY-----\\n${secrets.text('firstline')}\\n${secrets.text('lastline')}"
      NOT_TOLD: $OUTSIDE_SECRET
- name: gone
  mcp: { host: "http://127.0.0.1:1/mcp?api_key=${secrets.text('query')}" }
- name: far
  mcp: { host: "${http}?token=${secrets.text('farquery')}" }`);
}

/** Requests with secrets of a client in every header and in the query; gives all that was answered. */
async function client(gateway: TestGateway, secrets: Secrets): Promise<string[]> {
	const headers = {
		authorization: `Bearer ${secrets.text('bearer')}`,
		cookie: `session=${secrets.text('cookie')}`,
		'x-api-key': secrets.text('header'),
		'content-type': 'application/json',
		accept: 'application/json, text/event-stream',
	};
	const port = Number(new URL(gateway.url()).port);
	const path = `/mcp?access_token=${secrets.text('clientquery')}`;
	const replies: string[] = [];
	const send = async (body: string, more: Record<string, string> = {}, method = 'POST') => {
		const answer = await ask(port, path, { method, headers: { ...headers, ...more }, body });
		replies.push(JSON.stringify(answer));
		return answer;
	};
	const call = (name: string, args = '{}') =>
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`;
	const greeted = await send(
		'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}',
	);
	const session = { 'mcp-session-id': String(greeted.headers['mcp-session-id']) };
	for (const body of ['{', '[]', '{"jsonrpc":"2.0","id":1,"method":"no/such"}', call('child_nothing'), call('far_x')])
		await send(body, session);
	await send('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', session);
	await send(call('child_blab', '{"variable":"CHILD_TOKEN"}'), session);
	await send(call('child_blab', '{"variable":"CHILD_PRIVATE_KEY"}'), session);
	await send(call('child_crash'), session);
	await send(call('child_junk'), session);
	await send(call('gone_x'), session);
	await send(call('child_echo', '{"text":"x"}'), { 'mcp-session-id': secrets.text('session') });
	await send(call('child_echo', '{"text":"x"}'), { ...session, 'content-encoding': 'gzip' });
	await send(call('child_echo', '{"text":"x"}'), { 'mcp-protocol-version': secrets.text('version') });
	await send('', session, 'PUT');
	await send('', session, 'DELETE');
	return replies;
}

test('no secret is in logs, dumps, metrics, errors, or where a child or a server could read it', async () => {
	const secrets = new Secrets();
	const server = await HttpMcpServer.start({ eras: ['legacy'] });
	onTestFinished(() => server.close());
	const config = configOf(secrets, server.url);
	// Servers quote the path that they do not know.
	const quoted = `no POST ${/(\?token=.*)"/.exec(config)?.[1]} here`;
	server.override('tools/call', httpFault(server, { fault: 'status', status: 500, body: quoted }));
	const gateway = await testGateway(config, {
		env: {
			SESSION_KEY: secrets.key('sessionkey'),
			OUTSIDE_SECRET: secrets.text('outside'),
			OTLP_HEADERS: `authorization=${secrets.text('otlp')}`,
			RUST_LOG: 'trace',
			LOG_LEVEL: 'trace',
		},
		allow: /canary-secret-(session|version)/,
	});
	secrets.known('admin', 'canary-secret-admin');
	const replies = await client(gateway, secrets);

	// Not even what they sent themselves comes back to clients.
	for (const reply of replies) expect.soft(secrets.in(reply), reply).toEqual([]);

	// A child knows its own secrets; a server knows what stands in its URL, and nothing of clients.
	const own = await gateway.legacy();
	const environment = await own.tool('child_env');
	expect(secrets.in(environment).sort()).toEqual(['childenv', 'childtoken', 'firstline', 'lastline', 'outside']);
	for (const { pid, command } of gateway.children()) {
		expect(secrets.in(command)).toEqual(command.includes(fixture) ? ['argument'] : []);
		expect(secrets.in(readFileSync(`/proc/${pid}/environ`, 'latin1'), ...environmentOnly)).toEqual([]);
	}
	for (const { headers, text } of server.received) expect(secrets.in(JSON.stringify(headers) + text)).toEqual([]);

	const admin = Number(new URL(gateway.adminUrl).port);
	for (const path of adminPaths) {
		const shown = (await ask(admin, path)).text;
		expect.soft(secrets.in(shown), path).toEqual([]);
		const refused = new RawClient(admin);
		refused.send(
			`GET ${path}?token=${secrets.text('guess')} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
		);
		expect.soft(secrets.in(await refused.untilClosed(10_000)), path).toEqual([]);
	}
	for (const path of ['/metrics', '/nothing'])
		expect.soft(secrets.in((await ask(Number(new URL(gateway.statsUrl).port), path)).text), path).toEqual([]);
	expect(secrets.in(gateway.log())).toEqual([]);
	expect(gateway.log()).toContain('"gone"');
	expect(gateway.log().match(/the value is <redacted>/g)?.length).toBeGreaterThanOrEqual(3);
	expect(replies.join('')).toContain('no POST … here');
}, 60_000);

test('nor is one that was taken out of the file while its program runs on', async () => {
	const secrets = new Secrets();
	const config = (token: string) =>
		mcpConfig(`- name: child
  stdio: { cmd: ${JSON.stringify(process.execPath)}, args: [${JSON.stringify(fixture)}], env: { API_TOKEN: ${token} } }`);
	const gateway = await testGateway(config(secrets.text('old')), { env: { RUST_LOG: 'debug' } });
	const own = await gateway.legacy();
	const signal = `${gateway.file}.taken-out`;
	onTestFinished(() => rmSync(signal, { force: true }));
	const call = own.request('tools/call', `{"name":"confess","arguments":{"variable":"API_TOKEN","file":"${signal}"}}`);
	await gateway.waitFor(/about to confess/);
	const before = (await ask(Number(new URL(gateway.adminUrl).port), '/api/state')).text;
	writeFileSync(gateway.file, config(secrets.text('new')));
	// However long the reload takes, it is over when the old program speaks.
	await gateway.waitFor(/loaded config from \S+ reason=/);
	writeFileSync(signal, '');
	await gateway.waitFor(/the value is/);
	await call;
	const after = (await ask(Number(new URL(gateway.adminUrl).port), '/api/state')).text;
	expect(secrets.in(gateway.log() + before + after)).toEqual([]);
}, 60_000);
