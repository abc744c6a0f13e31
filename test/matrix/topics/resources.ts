import { expect } from 'vitest';
import type { Loose } from '../../support/wire-client.ts';
import { eventually } from '../eventually.ts';
import { onlyNew, type Topic } from '../requirement.ts';

const watched = 'test://watched-resource';

export const resources: Topic = {
	title: 'Resources and subscriptions',
	requirements: [
		{
			id: 'resources-list',
			title: 'resources and templates are listed',
			section: 'server/resources, listing',
			run: async ({ peer }) => {
				const { resources: list } = await peer.use('resources/list');
				expect(list.slice(0, 3).map((one: Loose) => one.uri)).toEqual([
					'test://static-text',
					'test://static-binary',
					watched,
				]);
				const { resourceTemplates } = await peer.use('resources/templates/list');
				expect(resourceTemplates).toMatchObject([{ uriTemplate: 'test://template/{id}/data' }]);
			},
		},
		{
			id: 'resource-read',
			title: 'a text, a binary one, and one of a template are read',
			section: 'server/resources, reading',
			run: async ({ peer }) => {
				const text = await peer.use('resources/read', { uri: 'test://static-text' });
				expect(text.contents).toMatchObject([{ uri: 'test://static-text', mimeType: 'text/plain' }]);
				const binary = await peer.use('resources/read', { uri: 'test://static-binary' });
				expect(binary.contents[0].blob).toMatch(/^iVBOR/);
				const one = await peer.use('resources/read', { uri: 'test://template/1%202/data' });
				expect(JSON.parse(one.contents[0].text)).toMatchObject({ id: '1%202' });
			},
		},
		{
			id: 'resource-subscription',
			title: 'a change of a watched resource is told, and no longer when nobody watches',
			section: 'server/resources 2025-11-25, subscriptions; subscriptions 2026-07-28',
			run: async ({ peer }) => {
				const change = () => peer.use('tools/call', { name: 'test_trigger_resource_change' });
				const told = () => peer.notes.filter(({ method }) => method === 'notifications/resources/updated');
				peer.notes.length = 0;
				const stop = await peer.watch({ lists: false, uris: [watched] });
				await change();
				await eventually(() => expect(told().map(({ params }) => params.uri)).toContain(watched));
				await stop();
				await new Promise((resolve) => setTimeout(resolve, 100));
				peer.notes.length = 0;
				await change();
				await new Promise((resolve) => setTimeout(resolve, 150));
				expect(told()).toEqual([]);
			},
		},
		{
			id: 'listen',
			title: 'a listen stream says first what it honours, and each notification names it',
			section: 'subscriptions 2026-07-28',
			shownBy: 'raw',
			limit: onlyNew('came with 2026-07-28'),
			run: async (context) => {
				const { wire } = context.wire();
				for (const id of ['"a 1"', '77']) {
					const aborter = new AbortController();
					const seen: Loose[] = [];
					const params = JSON.stringify({
						notifications: { promptsListChanged: true, resourceSubscriptions: [watched], 'example.com/unknown': true },
					});
					const ended = wire
						.request('subscriptions/listen', params, {
							id,
							signal: aborter.signal,
							onMessage: (text) => seen.push(JSON.parse(text)),
						})
						.catch((error: Error) => error);
					// What the last round has changed may be told right behind it.
					await eventually(() => expect(seen).not.toHaveLength(0));
					expect(seen[0]).toMatchObject({
						method: 'notifications/subscriptions/acknowledged',
						params: { notifications: { promptsListChanged: true, resourceSubscriptions: [watched] } },
					});
					await wire.request('tools/call', '{"name":"test_trigger_prompt_change"}');
					await wire.request('tools/call', '{"name":"test_trigger_tool_change"}');
					await eventually(() => expect(seen.length).toBeGreaterThan(1));
					aborter.abort();
					await ended;
					const ids = seen.map(({ params: one }) => one._meta['io.modelcontextprotocol/subscriptionId'] as unknown);
					expect(new Set(ids)).toEqual(new Set([JSON.parse(id)]));
					// Nothing that was not asked for.
					expect(seen.slice(1).map((one) => one.method as string)).not.toContain('notifications/tools/list_changed');
				}
			},
		},
		...(['tools', 'prompts', 'resources'] as const).map((kind) => ({
			id: `${kind}-changed`,
			title: `a change of the list of ${kind} is told, and the list is new`,
			section: `server/${kind}, list changed notification; subscriptions 2026-07-28`,
			run: async ({ peer }: { peer: Loose }) => {
				const singular = kind.slice(0, -1);
				const names = async () =>
					(await peer.use(`${kind}/list`))[kind].map((one: Loose) => (one.uri ?? one.name) as string) as string[];
				const before = await names();
				const stop = await peer.watch({ lists: true, uris: [] });
				peer.notes.length = 0;
				await peer.use('tools/call', { name: `test_trigger_${singular}_change` });
				const method = `notifications/${kind}/list_changed`;
				await eventually(() => expect(peer.notes.map((note: Loose) => note.method)).toContain(method));
				const after = await names();
				expect(Math.abs(after.length - before.length)).toBe(1);
				await stop();
			},
		})),
	],
};
