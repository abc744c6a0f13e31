import { expect } from 'vitest';
import type { Loose } from '../../support/wire-client.ts';
import { eventually } from '../eventually.ts';
import { WirePeer } from '../wire-peer.ts';
import { type Context, onlyNew, onlyOld, type Topic } from '../requirement.ts';

const logged = ['Tool execution started', 'Tool processing data', 'Tool execution completed'];

export const running: Topic = {
	title: 'Logging, progress, cancellation',
	requirements: [
		{
			id: 'logs',
			title: 'log messages arrive before the result, in order',
			section: 'server/utilities/logging',
			run: async ({ peer, combo }) => {
				if (combo.client === 'old') await peer.use('logging/setLevel', { level: 'debug' });
				peer.notes.length = 0;
				await peer.use('tools/call', { name: 'test_tool_with_logging', arguments: {} }, { logLevel: 'debug' });
				expect(logsOf(peer.notes)).toEqual(logged);
			},
		},
		{
			id: 'log-level',
			title: 'nothing below the level that was asked for',
			section: 'server/utilities/logging',
			run: async ({ peer, combo }) => {
				if (combo.client === 'old') await peer.use('logging/setLevel', { level: 'error' });
				peer.notes.length = 0;
				await peer.use('tools/call', { name: 'test_logging_tool' }, { logLevel: 'error' });
				await new Promise((resolve) => setTimeout(resolve, 30));
				expect(logsOf(peer.notes)).toEqual([]);
			},
		},
		{
			id: 'log-level-unset',
			title: 'logs for a client that has never set a level',
			section: 'server/utilities/logging 2025-11-25',
			limit: onlyOld('none without a level since 2026-07-28'),
			run: async ({ connect }) => {
				const peer = await connect({});
				await peer.use('tools/call', { name: 'test_tool_with_logging', arguments: {} });
				expect(logsOf(peer.notes)).toEqual(logged);
			},
		},
		{
			id: 'no-logs-unasked',
			title: 'no logs for a request that set no level',
			section: 'server/utilities/logging 2026-07-28',
			limit: onlyNew('logs come unless a level keeps them away'),
			run: async ({ peer }) => {
				peer.notes.length = 0;
				await peer.use('tools/call', { name: 'test_tool_with_logging', arguments: {} });
				expect(logsOf(peer.notes)).toEqual([]);
			},
		},
		{
			id: 'progress',
			title: 'progress arrives before the result, in order, with the client’s token',
			section: 'basic/utilities/progress',
			run: async ({ peer }) => {
				const all = [0, 100, 50, 100, 100, 100];
				const seen: number[] = [];
				await peer.use(
					'tools/call',
					{ name: 'test_tool_with_progress', arguments: {} },
					{ onProgress: ({ progress, total }) => seen.push(progress, total) },
				);
				// SDKs lose what they read in one go with the response: they hand notifications on later than answers.
				const certain = peer instanceof WirePeer ? all.length : 2;
				expect(seen).toEqual(all.slice(0, Math.max(certain, seen.length)));
			},
		},
		{
			id: 'progress-token',
			title: 'tokens keep their JSON type; without one there is no progress',
			section: 'basic/utilities/progress',
			shownBy: 'raw',
			run: async (context) => {
				const { wire } = context.wire();
				const call = (meta?: string) =>
					wire.request('tools/call', '{"name":"test_tool_with_progress"}', meta === undefined ? {} : { meta });
				const tokens = ['"a 1"', '"7"', '7'];
				const withToken = async (token: string) => (await call(`"progressToken":${token}`)).before;
				const [none, ...some] = await Promise.all([call(), ...tokens.map(withToken)]);
				const tokenOf = (text: string) => /"progressToken":("[^"]*"|\d+)/.exec(text)?.[1];
				expect(some.map((before) => before.map(tokenOf))).toEqual(tokens.map((token) => [token, token, token]));
				expect(none.before).toEqual([]);
			},
		},
		{
			id: 'cancel',
			title: 'a call that the client takes back is cancelled at the server',
			section: 'basic/utilities/cancellation',
			run: async ({ peer, cancelled }) => {
				const key = `matrix-${process.pid}-${Math.random()}`;
				await cancelledCall(peer, key);
				await eventually(() => expect(cancelled()).toContain(key));
			},
		},
		{
			id: 'cancel-question',
			title: 'a call that is taken back while it asks the user does not hold up the next',
			section: 'basic/utilities/cancellation; basic/patterns/mrtr 2026-07-28',
			run: async ({ connect }) => {
				const peer = await connect({ elicitation: {} });
				const aborter = new AbortController();
				let asked = () => {};
				const wasAsked = new Promise<void>((resolve) => {
					asked = resolve;
				});
				const call = (signal?: AbortSignal) =>
					peer.use(
						'tools/call',
						{ name: 'test_elicitation', arguments: { message: '?' } },
						signal === undefined ? {} : { signal },
					);
				peer.answer = () => {
					asked();
					// The user looks at the question until it is gone.
					return new Promise((resolve) =>
						aborter.signal.addEventListener('abort', () => resolve({ action: 'cancel' })),
					);
				};
				const first = call(aborter.signal).catch(() => 'ended');
				await wasAsked;
				aborter.abort();
				expect(await first).toBe('ended');
				peer.answer = () => ({ action: 'decline' });
				expect((await call()).content[0].text).toContain('decline');
			},
		},
		{
			id: 'cancel-others',
			title: 'other calls of the client go on meanwhile',
			section: 'basic/utilities/cancellation',
			run: async ({ peer }) => {
				const slow = peer.use('tools/call', { name: 'test_tool_with_progress', arguments: {} });
				await cancelledCall(peer, 'another');
				expect((await slow).content[0].text).toContain('successfully');
			},
		},
	],
};

function logsOf(notes: readonly { method: string; params: Loose }[]): string[] {
	return notes.filter(({ method }) => method === 'notifications/message').map(({ params }) => params.data as string);
}

/** Calls `matrix_wait`, and takes that back as soon as it runs, in the words of the client's era. */
async function cancelledCall(peer: Context['peer'], key: string): Promise<void> {
	const aborter = new AbortController();
	let begun = () => {};
	const began = new Promise<void>((resolve) => {
		begun = resolve;
	});
	const call = peer.use(
		'tools/call',
		{ name: 'matrix_wait', arguments: { key } },
		{ signal: aborter.signal, onProgress: () => begun() },
	);
	const ended = call.then(
		() => 'answered',
		() => 'ended',
	);
	await began;
	aborter.abort();
	expect(await ended).toBe('ended');
}
