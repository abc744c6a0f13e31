import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { root, timeServer } from '../support/gateway.ts';

const admin = `config: { adminAddr: '127.0.0.1:0', statsAddr: '127.0.0.1:0', readinessAddr: '127.0.0.1:0' }`;
const config = `
${admin}
binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
          - name: time
            stdio: { cmd: ${process.execPath}, args: ["${timeServer}"] }
`;

test('a program serves and stops a gateway of its own', async () => {
	const gateway = await createGateway(config);
	const [address] = gateway.addresses().get('bind/0') ?? [];
	const port = address?.split(':').at(-1);
	const reply = await fetch(`http://127.0.0.1:${port}/mcp`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
		body: JSON.stringify({
			jsonrpc: '2.0',
			id: 1,
			method: 'initialize',
			params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
		}),
	});
	expect(await reply.json()).toMatchObject({ result: { capabilities: { tools: {} } } });
	expect(gateway.snapshot().sessions).toBe(1);
	await gateway.close();
	await expect(fetch(`http://127.0.0.1:${port}/mcp`)).rejects.toThrow();
});

test('a wrong configuration is an error with every place', async () => {
	await expect(createGateway('binds: [{ prot: 1 }]')).rejects.toThrow(/binds\[0\][^]*did you mean "port"/);
});

test('after close nothing keeps the program alive', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-embed-'));
	const file = join(folder, 'program.mjs');
	const module = pathToFileURL(join(root, 'dist/index.js')).href;
	writeFileSync(
		file,
		`import { createGateway } from ${JSON.stringify(module)};
const gateway = await createGateway(${JSON.stringify(config)});
await gateway.close();
console.log('closed');
`,
	);
	const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 10_000 });
	expect(stdout).toBe('closed\n');
	rmSync(folder, { recursive: true });
});
