import { expect, onTestFinished, test } from 'vitest';
import { childrenConfig, fixtureTarget } from '../../processes/children.ts';
import { mcpConfig } from '../../support/gateway.ts';
import { HttpMcpServer } from '../../support/http-mcp-server.ts';
import { FaultProxy } from './fault-proxy.ts';
import { faultPerCall } from './http-faults.ts';
import { testGateway } from './test-gateway.ts';

async function proxied(): Promise<{ server: HttpMcpServer; proxy: FaultProxy }> {
	const server = await HttpMcpServer.start({ eras: ['legacy'] });
	const proxy = await FaultProxy.start(server.port);
	onTestFinished(async () => {
		await proxy.close();
		await server.close();
	});
	faultPerCall(server);
	return { server, proxy };
}

test('a gateway is as it was when the client has gone: stdio', async () => {
	const gateway = await testGateway(childrenConfig([fixtureTarget('one')]));
	const client = await gateway.legacy();
	expect(await client.tool('echo', '{"text":"hi"}')).toBe('hi');
	expect(await client.tool('duplicate')).toBe('first');
	expect(await client.tool('unknownId')).toBe('mine');
	expect(gateway.children()).toHaveLength(1);
	expect(await gateway.leftovers(0)).not.toEqual([]);
});

test('a gateway is as it was when the client has gone: HTTP', async () => {
	const { proxy } = await proxied();
	const gateway = await testGateway(mcpConfig(`- name: a\n  mcp: { host: "${proxy.url}" }`));
	const client = await gateway.legacy();
	expect(await client.tool('echo', '{"text":"hi"}')).toBe('hi');
	expect(await client.tool('echo', '{"fault":"unknownId"}')).toBe('mine');
});
