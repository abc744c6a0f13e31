import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { mcpConfig, nodeTarget, root, runGateway } from '../support/gateway.ts';
import { LegacyClient } from '../support/rpc-client.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

test.each(['lf', 'crlf'])('batches, empty lines, a byte order mark, answers to nobody (%s)', async (ending) => {
	const fixture = join(root, 'test/fixtures/odd-lines.mjs');
	const gateway = await runGateway(mcpConfig(nodeTarget('odd', fixture, ending)), { env: { RUST_LOG: 'debug' } });
	closing.push(async () => expect(await gateway.stop()).toBe(0));
	const client = await LegacyClient.open(`${gateway.url()}/mcp`);
	expect(await client.toolNames()).toEqual(['batch']);
	const reply = await client.request('tools/call', '{"name":"batch","_meta":{"progressToken":"p"}}');
	expect(reply.before.map((text) => JSON.parse(text).params)).toEqual([{ progressToken: 'p', progress: 1 }]);
	expect(reply.message.result?.content?.[0]?.text).toBe('mine');
	// The byte order mark was no junk; both answers to nobody were.
	await expect.poll(() => gateway.log().match(/dropped a line/g)?.length).toBe(2);
});
