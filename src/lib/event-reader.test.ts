import { describe, expect, test } from 'vitest';
import { EventReader } from './event-reader.ts';

interface Read {
	events: [string, string][];
	reader: EventReader;
	good: boolean;
}

function read(text: string | Buffer, size = 1_000_000, limit = 1000): Read {
	const bytes = Buffer.from(text);
	const events: [string, string][] = [];
	const reader = new EventReader(limit, (data, type) => events.push([type, data.toString()]));
	let good = true;
	for (let at = 0; at < bytes.length && good; at += size) good = reader.push(bytes.subarray(at, at + size));
	return { events, reader, good };
}

const stream = [
	'\uFEFFdata: with mark\n\n',
	': a comment\r\n\r\n',
	'event: endpoint\r\ndata:/x\r\n\r\n',
	'data: one\ndata:  two\ndata\n\n',
	'data: by return\r\r',
	'database: no\nretry: 5x\nretry: 250\nid: ü1\n\n',
	'data:\n\n',
	'id: lost without its end\ndata: lost',
].join('');

describe('EventReader', () => {
	test.each([1, 2, 3, 7, 1_000_000])('in chunks of %i', (size) => {
		const { events, reader, good } = read(stream, size);
		expect(events).toEqual([
			['message', 'with mark'],
			['endpoint', '/x'],
			['message', 'one\n two\n'],
			['message', 'by return'],
		]);
		expect(good).toBe(true);
		expect(reader.retryMs).toBe(250);
		// The bytes of the id, as a header takes them.
		expect(Buffer.from(reader.lastEventId, 'latin1').toString()).toBe('ü1');
		expect(reader.count).toBe(6);
	});

	test('an id alone counts, an empty one is none, and one that is no header is none', () => {
		expect(read('id: 1\n\n').reader).toMatchObject({ lastEventId: '1', count: 1 });
		expect(read('id: 1\n\nid\n\n').reader.lastEventId).toBe('');
		expect(read('id: a\u0001b\n\n').reader.lastEventId).toBe('');
		expect(read(`id: ${'x'.repeat(1025)}\n\n`, 100, 10_000).reader.lastEventId).toBe('');
		expect(read('id: 1\n\ndata: next\n\n').reader).toMatchObject({ lastEventId: '1', count: 2 });
	});

	test.each([
		['data in one line', `data: ${'x'.repeat(1001)}\n\n`],
		['data in many lines', `data: ${'x'.repeat(300)}\n`.repeat(4)],
		['a line without end', 'x'.repeat(2000)],
	])('%s over the limit is given up', (_name, text) => {
		for (const size of [10, 1_000_000]) {
			const { events, good, reader } = read(text, size);
			expect([events, good]).toEqual([[], false]);
			expect(reader.push(Buffer.from('data: more\n\n'))).toBe(false);
		}
	});

	test('many events are no large event', () => {
		const { events, good } = read(`data: ${'x'.repeat(900)}\n\n`.repeat(50), 777);
		expect([events.length, good]).toEqual([50, true]);
	});

	test('all line ends, wherever the stream is cut in two', () => {
		const mixed = Buffer.from('data: a\r\rdata: b\n\ndata: c\r\n\r\ndata: d\n\r\ndata: e\r\n\rdata: f\ndata: g\r\n\n');
		const whole = ['a', 'b', 'c', 'd', 'e', 'f\ng'];
		for (let cut = 0; cut <= mixed.length; cut++) {
			const found: string[] = [];
			const reader = new EventReader(1000, (data) => found.push(data.toString()));
			reader.push(mixed.subarray(0, cut));
			reader.push(mixed.subarray(cut));
			expect(found).toEqual(whole);
		}
	});

	test.each(['\r', '\n', '\r\n', ':\r'])('looks at a chunk of %j about once', (line) => {
		const chunk = Buffer.from(line.repeat(2000));
		let looked = 0;
		const search = (value: number, from: number) => Buffer.prototype.indexOf.call(chunk, value, from);
		Object.assign(chunk, {
			indexOf(value: number, from = 0) {
				const at = search(value, from);
				looked += (at < 0 ? chunk.length : at + 1) - from;
				return at;
			},
		});
		expect(new EventReader(1000, () => {}).push(chunk)).toBe(true);
		expect(looked).toBeLessThanOrEqual(chunk.length * 3);
	});
});
