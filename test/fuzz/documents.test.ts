import { describe, expect, test } from 'vitest';
import { TestEndpoint } from '../support/endpoint.ts';
import { FakeTarget } from '../support/fake-target.ts';
import { hostileDocuments } from './documents.ts';

/** Milliseconds. The aim is 50; the rest is for machines that do something else, too. `TURN_MS=50` is strict. */
const maximumTurn = Number(process.env['TURN_MS'] ?? 150);

const size = 4 * 1024 ** 2 - 1024;

/** Milliseconds of processor time that `work` takes. */
function cost(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'a_echo' };

describe.each(hostileDocuments(size))('%s', (_name, body) => {
	test('is read or refused without holding the others up, and without filling memory', async () => {
		const text = body.toString();
		for (const era of ['legacy', 'modern']) {
			const times: number[] = [];
			const sizes: number[] = [];
			// Each with an endpoint of its own: what is remembered of the last message must not help.
			for (let round = 0; round < 3; round++) {
				const one = new TestEndpoint([new FakeTarget('a', { tools: {} }, () => ({ tools: [] }))]);
				const headers = era === 'legacy' ? await one.open() : modern;
				// What making the text a buffer costs is the test's own.
				const own = cost(() => void Buffer.from(text));
				const before = process.memoryUsage();
				times.push(cost(() => void one.begin('POST', headers, text)) - own);
				const after = process.memoryUsage();
				sizes.push((after.heapUsed + after.external - before.heapUsed - before.external) / body.length);
				await one.close();
			}
			expect.soft(Math.min(...times), `milliseconds, ${era}`).toBeLessThan(maximumTurn);
			expect.soft(Math.max(...sizes), `times its size, ${era}`).toBeLessThan(32);
		}
	});
});
