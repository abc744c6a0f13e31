import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mcpConfig } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { testGateway } from './harness/test-gateway.ts';

test('a command that crashes at its start is not started by all sessions at once, and nobody waits for it for long', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-starts-'));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	const notes = join(folder, 'notes');
	const good = await HttpMcpServer.start({ eras: ['legacy'] });
	onTestFinished(() => good.close());
	const script = `echo + >> ${notes}; sleep 0.3; echo - >> ${notes}; exit 7`;
	const gateway = await testGateway(
		mcpConfig(
			`- name: good\n  mcp: { host: "${good.url}" }\n- name: bad\n  stdio: { cmd: sh, args: ["-c", "${script}"] }`,
		),
	);
	const clients = await Promise.all(Array.from({ length: 150 }, () => gateway.legacy()));
	expect(await clients[149]?.tool('good_echo')).toContain('echo');
	const refused = await clients[0]?.request('tools/call', '{"name":"bad_x"}');
	expect(refused?.message.error?.message).toMatch(/"bad" is not available: it exited with code 7/);
	let [now, most, all] = [0, 0, 0];
	for (const line of readFileSync(notes, 'utf8').trim().split('\n')) {
		now += line === '+' ? 1 : -1;
		if (line === '+') all++;
		most = Math.max(most, now);
	}
	expect(most).toBeLessThanOrEqual(8);
	expect(all).toBeGreaterThan(4);
	// The circuit opens after two seconds; then there are single trials.
	expect(all).toBeLessThan(100);
}, 60_000);
