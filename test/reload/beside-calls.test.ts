import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { fixtureTarget } from '../processes/children.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { type EditedGateway, editGateway, fileOf, routeTo } from './edited-gateway.ts';

let gateway: EditedGateway | null = null;

afterEach(async () => {
	await gateway?.end();
	gateway = null;
});

/** YAML that takes a reader a second and more for each 100,000 numbers, and is no configuration. */
function slow(numbers: number): string {
	return `a: ${'['.repeat(100)}${'1,'.repeat(numbers)}${']'.repeat(100)}\n`;
}

/**
 * Asks for the tools again and again until `done`. What is read on the event loop makes one answer wait for nearly all of
 * that time, on whatever machine; gives what part of it the longest answer took.
 */
async function longestPart(client: LegacyClient, done: Promise<unknown>): Promise<number> {
	const began = performance.now();
	let over = 0;
	void done.finally(() => {
		over = performance.now();
	});
	const tools = (await client.toolNames()).length;
	let longest = 0;
	while (over === 0) {
		const started = performance.now();
		expect(await client.toolNames()).toHaveLength(tools);
		longest = Math.max(longest, performance.now() - started);
	}
	return longest / (over - began);
}

/** Writes a text of the file, or with `whole` what stands in the body as it is. */
function put(one: EditedGateway, text: string, whole = false): Promise<Response> {
	const headers = { 'content-type': 'application/json' };
	return fetch(`${one.adminUrl}/api/config`, { method: 'PUT', headers, body: whole ? text : JSON.stringify(text) });
}

const linux = process.platform === 'linux';

function threadsOf(one: EditedGateway): number {
	return readdirSync(`/proc/${one.process.pid}/task`).length;
}

async function run(): Promise<EditedGateway> {
	gateway = await editGateway(fileOf([routeTo('/a', [fixtureTarget('one')])]));
	return gateway;
}

test('a file that takes long to read holds up no call', async () => {
	const one = await run();
	const client = await LegacyClient.open(`${one.url()}/a`);
	const read = one.after(() => writeFileSync(one.file, slow(120_000)));
	const part = await longestPart(client, read);
	expect((await read).synchronized).toBe(false);
	expect(part).toBeLessThan(0.25);
});

test('a document that takes long to read holds up no call', async () => {
	const one = await run();
	const client = await LegacyClient.open(`${one.url()}/a`);
	const write = put(one, slow(100_000));
	const part = await longestPart(client, write);
	expect((await write).status).toBe(422);
	expect(part).toBeLessThan(0.25);
});

test.runIf(linux)('a gateway that is told to stop does not wait for what it reads', async () => {
	const other = await run();
	const began = performance.now();
	expect((await put(other, slow(100_000))).status).toBe(422);
	const quarter = performance.now() - began;
	await other.end();

	const one = await run();
	const before = threadsOf(one);
	writeFileSync(one.file, slow(400_000));
	await expect.poll(() => threadsOf(one), { timeout: 20_000 }).toBeGreaterThan(before);
	const stopping = performance.now();
	expect(await one.stop()).toBe(0);
	// However slow the machine is: to wait for what is read would take four quarters.
	expect(performance.now() - stopping).toBeLessThan(2 * quarter);
});

test.runIf(linux)('a write that is not done when the gateway stops changes nothing, and says so', async () => {
	const one = await run();
	const text = readFileSync(one.file, 'utf8');
	const before = threadsOf(one);
	const write = put(one, slow(120_000));
	await expect.poll(() => threadsOf(one), { timeout: 5000 }).toBeGreaterThan(before);
	const [code, response] = await Promise.all([one.stop(), write]);
	expect(code).toBe(0);
	expect(response.status).toBe(503);
	expect(await response.json()).toMatchObject({ error: 'The gateway is stopping; nothing has changed.' });
	expect(readFileSync(one.file, 'utf8')).toBe(text);
});

test.each([200, 2000, 8000])('a document nested %i levels deep is refused at the door', async (depth) => {
	const one = await run();
	const response = await put(one, `{"mcp":${'['.repeat(depth)}${']'.repeat(depth)}}`, true);
	expect(response.status).toBe(400);
	expect(await response.json()).toMatchObject({ remedy: expect.stringContaining('at most 128 levels deep') });
	expect(one.log()).not.toContain('error');
});

test.runIf(linux)('the thread that reads is there only while it is needed', async () => {
	const one = await run();
	await one.after(() => writeFileSync(one.file, 'a: ['));
	// Those of libuv, which came with the reading, stay.
	const reading = threadsOf(one);
	await expect.poll(() => threadsOf(one), { timeout: 10_000 }).toBeLessThan(reading);
});
