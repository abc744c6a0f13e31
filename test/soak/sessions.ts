import { Agent } from 'undici';
import { LegacyClient } from '../support/rpc-client.ts';

/** Does something `count` times, so many at once. */
export async function many<T>(count: number, atOnce: number, one: (index: number) => Promise<T>): Promise<T[]> {
	const results: T[] = [];
	let next = 0;
	const lane = async () => {
		while (next < count) {
			const index = next++;
			results[index] = await one(index);
		}
	};
	await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
	return results;
}

/** Opens sessions over connections that are closed again. */
export async function openSessions(url: string, count: number): Promise<string[]> {
	const agent = new Agent({ connections: 32 });
	const ids = await many(count, 32, async () => (await LegacyClient.open(url, agent)).session);
	await agent.destroy();
	return ids;
}

/** DELETEs sessions; gives those that were not there. */
export async function endSessions(url: string, ids: readonly string[]): Promise<string[]> {
	const agent = new Agent({ connections: 32 });
	const bad: string[] = [];
	await many(ids.length, 32, async (index) => {
		const headers = { 'mcp-session-id': ids[index] ?? '', 'mcp-protocol-version': '2025-11-25' };
		const { statusCode, body } = await agent.request({
			origin: new URL(url).origin,
			path: '/mcp',
			method: 'DELETE',
			headers,
		});
		await body.dump();
		if (statusCode >= 300) bad.push(`DELETE answered ${statusCode}`);
	});
	await agent.destroy();
	return bad;
}
