import { expect, test } from 'vitest';
import { fixtureTarget } from '../processes/children.ts';
import { mcpConfig, runGateway } from '../support/gateway.ts';
import { LegacyClient, ModernClient } from '../support/rpc-client.ts';

const noText = '{"toString":1}';
const acknowledged = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":ID},"notifications":{"resourceSubscriptions":[${noText}]}}}`;

test.each([
	['initialize', '"result":null'],
	['initialize', '"result":[]'],
	['server/discover', '"result":null'],
	['server/discover', `"result":{"supportedVersions":[${noText}]}`],
	['server/discover', '"result":{"supportedVersions":["2026-07-28"],"_meta":null}'],
	['server/discover', '"error":null'],
	['server/discover', `"error":{"code":-32022,"data":{"supported":[${noText}]}}`],
	['subscriptions/listen', acknowledged],
	['tools/call', '"nothing":1'],
])('a server that answers %s with %s does not end the gateway', async (method, text) => {
	const rude = fixtureTarget(
		'rude',
		`--on=${method}:${text}`,
		...(method === 'subscriptions/listen' ? ['--modern'] : []),
	);
	const gateway = await runGateway(mcpConfig(`${rude}\n${fixtureTarget('good')}`));
	const url = `${gateway.url()}/mcp`;
	const modern = new ModernClient(url);
	await modern.request('tools/call', '{"name":"rude_any"}');
	const legacy = await LegacyClient.open(url);
	await legacy.request('tools/call', '{"name":"rude_any"}');
	expect(await modern.tool('good_echo', '{"text":"hi"}')).toBe('hi');
	expect(await gateway.stop()).toBe(0);
});
