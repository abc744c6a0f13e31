import { request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { type RunningGateway, runGateway, timeServer } from '../support/gateway.ts';
import { ModernClient } from '../support/rpc-client.ts';

let gateway: RunningGateway | null = null;
afterEach(async () => {
	expect(await gateway?.stop()).toBe(0);
	gateway = null;
});

const target = `{ name: time, stdio: { cmd: ${process.execPath}, args: ["${timeServer}"] } }`;

describe('each style of the file serves', () => {
	test.each([
		['binds', `binds:\n- port: 0\n  listeners:\n  - routes:\n    - backends:\n      - mcp: { targets: [${target}] }\n`],
		['top-level mcp', `mcp:\n  port: 0\n  targets: [${target}]\n`],
		[
			'gateways and routes',
			`gateways:\n  main: { port: 0 }\nroutes:\n- name: tools\n  gateways: main\n  backends:\n  - mcp: { targets: [${target}] }\n`,
		],
		[
			'a backend by name',
			`backends:\n- name: foo\n  mcp: { targets: [${target}] }\nbinds:\n- port: 0\n  listeners:\n  - routes:\n    - backends: [{ backend: foo }]\n`,
		],
		[
			'a backend by its path',
			`backends:\n- name: foo\n  mcp: { targets: [${target}] }\nbinds:\n- port: 0\n  listeners:\n  - routes:\n    - backends: [{ backend: /foo }]\n`,
		],
	])('%s', async (_name, yaml) => {
		gateway = await runGateway(yaml);
		expect(await new ModernClient(`${gateway.url()}/mcp`).toolNames()).toEqual(['get_current_time', 'convert_time']);
	});
});

test('hosts and paths choose the route', async () => {
	gateway = await runGateway(`
binds:
- port: 0
  listeners:
  - name: inner
    hostname: "*.localhost"
    routes:
    - name: exact
      matches: [{ path: { exact: /only } }]
      backends: [{ mcp: { targets: [${target}] } }]
    - name: prefix
      matches: [{ path: { pathPrefix: /tools } }]
      backends: [{ mcp: { targets: [${target}], prefixMode: always } }]
`);
	const { port } = new URL(gateway.url());
	const ask = async (path: string, host: string) => {
		const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`, {
			method: 'POST',
			headers: {
				host,
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
				'mcp-protocol-version': '2026-07-28',
				'mcp-method': 'tools/list',
			},
			body: '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}',
		});
		return [statusCode, await body.text()] as const;
	};
	expect((await ask('/only', 'a.localhost'))[1]).toContain('"name":"get_current_time"');
	expect((await ask('/tools/x', `b.localhost:${port}`))[1]).toContain('"name":"time_get_current_time"');
	expect((await ask('/toolsx', 'a.localhost'))[0]).toBe(404);
	expect((await ask('/only', 'localhost'))[0]).toBe(404);
});

test('variables are expanded in the whole text, $$ is a dollar', async () => {
	const yaml = `mcp:\n  port: 0\n  targets:\n  - name: \${TARGET_NAME}\n    stdio:\n      cmd: $NODE\n      args: ["${timeServer}", "--price=5$$"]\n  prefixMode: always\n`;
	gateway = await runGateway(yaml, { env: { TARGET_NAME: 'clock', NODE: process.execPath } });
	expect(await new ModernClient(`${gateway.url()}/mcp`).toolNames()).toContain('clock_get_current_time');
	const dump = await (await fetch(`${gateway.adminUrl}/config_dump`)).text();
	expect(dump).toContain('5$');
	expect(dump).not.toContain('5$$');
});
