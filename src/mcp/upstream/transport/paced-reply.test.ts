import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import type { RequestControl } from './http-request.ts';
import { PacedReply } from './paced-reply.ts';

const size = 4 * 1024 * 1024;

/** A server that sends all it has at once, and a pool for it. */
async function flooding(): Promise<Pool> {
	const server = createServer((_request, response) => void response.end(Buffer.alloc(size, 'x')));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
	onTestFinished(async () => {
		await pool.destroy();
		server.closeAllConnections();
		server.close();
	});
	return pool;
}

function work(ms: number): void {
	const until = performance.now() + ms;
	while (performance.now() < until);
}

test('pieces that are work come one in a turn of the loop, all of them, and the connection goes on', async () => {
	const pool = await flooding();
	for (let request = 0; request < 2; request++) {
		let [bytes, pieces, mostInTurn, inTurn] = [0, 0, 0, 0];
		let over = false;
		const ended = new Promise<void>((resolve, reject) => {
			const handler = {
				onResponseData(_control: RequestControl, chunk: Buffer) {
					bytes += chunk.length;
					pieces++;
					mostInTurn = Math.max(mostInTurn, ++inTurn);
					work(3);
				},
				onResponseEnd: () => resolve(),
				onResponseError: (_control: RequestControl, error: Error) => reject(error),
			};
			pool.dispatch({ method: 'GET', path: '/' }, new PacedReply(handler));
		}).finally(() => (over = true));
		while (!over) {
			await turn();
			inTurn = 0;
		}
		await ended;
		expect([bytes, mostInTurn]).toEqual([size, 1]);
		expect(pieces).toBeGreaterThan(10);
	}
});

test('one that is given up while it pauses, or in the middle of a piece, is over', async () => {
	const pool = await flooding();
	for (const when of ['within', 'later']) {
		let after = 0;
		let given = false;
		const error = await new Promise<Error>((resolve) => {
			const handler = {
				onResponseData(control: RequestControl) {
					if (given) after++;
					given = true;
					work(3);
					const giveUp = () => control.abort(new Error('given up'));
					if (when === 'within') giveUp();
					else process.nextTick(giveUp);
				},
				onResponseError: (_control: RequestControl, fault: Error) => resolve(fault),
			};
			pool.dispatch({ method: 'GET', path: '/' }, new PacedReply(handler));
		});
		await sleep(50);
		expect([error.message, after]).toEqual(['given up', 0]);
	}
});
