import { expect } from 'vitest';
import { WireClient } from '../../support/wire-client.ts';
import { onlyNew, onlyOld, type Topic } from '../requirement.ts';

export const lifecycle: Topic = {
	title: 'Lifecycle',
	requirements: [
		{
			id: 'server-identity',
			title: 'the server’s name and instructions reach the client',
			section: 'basic/lifecycle 2025-11-25; server/discover 2026-07-28',
			run: async ({ peer }) => {
				expect(peer.facts.name).toBe('conformance-fixture');
				expect(peer.facts.instructions).toContain('A fixture.');
			},
		},
		{
			id: 'server-capabilities',
			title: 'the server’s capabilities reach the client',
			section: 'basic/lifecycle 2025-11-25; server/discover 2026-07-28',
			run: async ({ peer }) => {
				expect(peer.facts.capabilities).toMatchObject({
					tools: { listChanged: true },
					prompts: { listChanged: true },
					resources: { listChanged: true, subscribe: true },
					completions: {},
					logging: {},
				});
			},
		},
		{
			id: 'version',
			title: 'the newest version of the client’s era is agreed on',
			section: 'basic/versioning 2026-07-28',
			run: async ({ peer, combo }) => {
				expect(peer.facts.version).toBe(combo.client === 'old' ? '2025-11-25' : '2026-07-28');
			},
		},
		{
			id: 'older-versions',
			title: 'each older version is spoken, and one nobody knows is answered with the newest old one',
			section: 'basic/lifecycle 2025-11-25, version negotiation',
			shownBy: 'raw',
			limit: onlyOld('no handshake: each request names its version'),
			run: async ({ url }) => {
				const asked = ['2025-06-18', '2025-03-26', '2024-11-05', '1999-01-01'];
				const agreed: string[] = [];
				for (const version of asked) {
					const client = await WireClient.open(url, 'legacy', { version });
					agreed.push(client.version);
					const { message } = await client.request('tools/call', '{"name":"test_simple_text"}');
					expect(message.result.content[0].text).toContain('simple text');
					await client.end();
				}
				expect(agreed).toEqual(['2025-06-18', '2025-03-26', '2024-11-05', '2025-11-25']);
			},
		},
		{
			id: 'discover',
			title: 'server/discover names the versions and how long that holds',
			section: 'server/discover 2026-07-28',
			shownBy: 'raw',
			limit: onlyNew('came with 2026-07-28'),
			run: async (context) => {
				const { result } = context.wire().wire.greeting.message;
				expect(result).toMatchObject({ resultType: 'complete', supportedVersions: ['2026-07-28'] });
				expect(typeof result.ttlMs).toBe('number');
				expect(['public', 'private']).toContain(result.cacheScope);
			},
		},
		{
			id: 'ping',
			title: 'ping is answered',
			section: 'basic/utilities/ping 2025-11-25',
			limit: onlyOld('removed in 2026-07-28'),
			run: async ({ peer }) => {
				expect(await peer.use('ping')).toEqual({});
			},
		},
		{
			id: 'session-end',
			title: 'DELETE ends the session: 404 from then on',
			section: 'basic/transports 2025-11-25, session management',
			shownBy: 'raw',
			limit: onlyOld('no sessions in 2026-07-28'),
			run: async ({ url }) => {
				const client = await WireClient.open(url, 'legacy');
				expect(await client.end()).toBeGreaterThanOrEqual(200);
				expect((await client.request('tools/list')).status).toBe(404);
				expect(await client.end()).toBe(404);
			},
		},
		{
			id: 'no-session',
			title: 'no session id is given out, one that is sent is ignored',
			section: 'basic/transports 2026-07-28',
			shownBy: 'raw',
			limit: onlyNew('sessions are the rule up to 2025-11-25'),
			run: async (context) => {
				const headers = { 'mcp-session-id': 'made-up' };
				const reply = await context.wire().wire.request('tools/list', '{}', { headers });
				expect(reply.status).toBe(200);
				expect(reply.headers).not.toHaveProperty('mcp-session-id');
			},
		},
	],
};
