import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventLog, type Replay } from './event-log.ts';

const frame = (text: string) => Buffer.from(`data: ${text}\n\n`);
const texts = (replay: Replay | string) =>
	typeof replay === 'string' ? replay : replay.frames.map((event) => `${event.id} ${event.frame.toString().trim()}`);

function log(events = 1000, bytes = 4 * 1024 * 1024): EventLog {
	return new EventLog({ events, bytes });
}

describe('an event log', () => {
	test('gives what came after an event, on its stream only', () => {
		const events = log();
		const [one, two] = [events.openStream(), events.openStream()];
		expect([one, two]).toEqual([1, 2]);
		expect(events.prime(one)).toBe('1-1');
		expect(events.append(one, frame('a'))).toBe('1-2');
		expect(events.append(two, frame('b'))).toBe('2-1');
		expect(events.append(one, frame('c'))).toBe('1-3');
		expect(texts(events.after('1-1'))).toEqual(['1-2 data: a', '1-3 data: c']);
		expect(texts(events.after('1-2'))).toEqual(['1-3 data: c']);
		expect(events.after('1-3')).toEqual({ stream: 1, frames: [], ended: false });
		expect(events.after('2-1')).toEqual({ stream: 2, frames: [], ended: false });
	});

	test('says whether something will follow', () => {
		const events = log();
		const stream = events.openStream();
		events.prime(stream);
		events.append(stream, frame('result'));
		events.endStream(stream);
		expect(events.after('1-1')).toMatchObject({ ended: true, frames: [{ id: '1-2' }] });
		expect(events.after('1-2')).toEqual({ stream: 1, frames: [], ended: true });
		expect(() => events.append(stream, frame('late'))).toThrow('stream 1 has ended');
		expect(() => events.prime(7)).toThrow('stream 7 has ended');
		events.endStream(stream);
		events.endStream(7);
	});

	test.each(['', '1', '1-', '-1', '1-0', '0-1', '01-1', '1-01', '1-1 ', ' 1-1', '1-1\n', '1-2', '2-1', '1-1e0', 'a-b'])(
		'does not know the id %j',
		(id) => {
			const events = log();
			events.prime(events.openStream());
			expect(events.after(id)).toBe('unknown');
		},
	);

	test('does not know an id longer than any it gives', () => {
		expect(log().after(`1-${'9'.repeat(5000)}`)).toBe('unknown');
	});
});

describe('too many events', () => {
	test('drop the oldest, and say so to those who miss them', () => {
		const events = log(3);
		const [one, two] = [events.openStream(), events.openStream()];
		events.prime(one);
		for (const text of ['a', 'b']) events.append(one, frame(text));
		for (const text of ['c', 'd']) events.append(two, frame(text));
		expect([events.size, events.bytes]).toEqual([3, 3 * frame('a').length]);
		expect(events.after('1-1')).toBe('dropped');
		expect(texts(events.after('1-2'))).toEqual(['1-3 data: b']);
		expect(texts(events.after('2-1'))).toEqual(['2-2 data: d']);
	});

	test('a primed stream whose events were never kept can still be resumed from its last one', () => {
		const events = log(1);
		const one = events.openStream();
		events.append(one, frame('a'));
		events.append(events.openStream(), frame('b'));
		expect(events.after('1-1')).toEqual({ stream: 1, frames: [], ended: false });
		expect(events.prime(one)).toBe('1-2');
		expect(texts(events.after('1-1'))).toEqual([]);
	});

	test('an ended stream is forgotten with its last event', () => {
		const events = log(2);
		const stream = events.openStream();
		events.append(stream, frame('a'));
		events.endStream(stream);
		expect(events.streamCount).toBe(1);
		const other = events.openStream();
		for (const text of ['b', 'c']) events.append(other, frame(text));
		expect(events.streamCount).toBe(1);
		expect(events.after('1-1')).toBe('dropped');
	});

	test('streams that never sent anything leave nothing', () => {
		const events = log();
		for (let count = 0; count < 10_000; count++) events.endStream(events.openStream());
		expect([events.streamCount, events.size, events.bytes]).toEqual([0, 0, 0]);
	});

	test('one that is larger than the whole log is not kept, and costs the others nothing', () => {
		const events = log(10, 100);
		const [one, two] = [events.openStream(), events.openStream()];
		events.append(two, frame('kept'));
		events.prime(one);
		expect(events.append(one, Buffer.alloc(101))).toBe('1-2');
		events.append(one, frame('after'));
		expect(events.after('1-1')).toBe('dropped');
		expect(texts(events.after('1-2'))).toEqual(['1-3 data: after']);
		expect(events.size).toBe(2);
		events.append(one, Buffer.alloc(100));
		expect([events.size, events.bytes]).toEqual([1, 100]);
	});

	test('a log for no events keeps none, and resumes where nothing was missed', () => {
		const events = log(0);
		const stream = events.openStream();
		events.prime(stream);
		expect(events.after('1-1')).toEqual({ stream: 1, frames: [], ended: false });
		events.append(stream, frame('a'));
		expect(events.after('1-1')).toBe('dropped');
		expect(events.after('1-2')).toEqual({ stream: 1, frames: [], ended: false });
		expect(events.bytes).toBe(0);
	});
});

test('a kept frame holds no larger memory than its own', () => {
	const events = log();
	const slab = Buffer.alloc(1_000_000);
	const stream = events.openStream();
	events.prime(stream);
	events.append(stream, slab.subarray(10, 20));
	events.append(stream, slab);
	const replay = events.after('1-1');
	const kept = typeof replay === 'string' ? [] : replay.frames.map((event) => event.frame);
	expect(kept.map((one) => one.buffer.byteLength)).toEqual([10, 1_000_000]);
	// Its own memory is not copied.
	expect(kept[1]?.buffer).toBe(slab.buffer);
});

/** The same with no thought for memory: every event ever, and how many of the newest fit. */
class Model {
	readonly all: { stream: number; sequence: number; length: number }[] = [];
	readonly issued: number[] = [];
	readonly ended: boolean[] = [];
	private from = 0;

	append(stream: number, length: number, events: number, bytes: number): string {
		const sequence = (this.issued[stream] ?? 0) + 1;
		this.issued[stream] = sequence;
		this.all.push({ stream, sequence, length });
		while (this.kept.length > events || this.sum > bytes) this.from++;
		return `${stream}-${sequence}`;
	}

	get kept() {
		return this.all.slice(this.from);
	}

	get sum(): number {
		return this.kept.reduce((sum, event) => sum + event.length, 0);
	}

	after(stream: number, sequence: number): string[] | string {
		const missed = this.all.filter((event) => event.stream === stream && event.sequence > sequence);
		const kept = this.kept.filter((event) => missed.includes(event));
		return kept.length < missed.length ? 'dropped' : kept.map((event) => `${event.stream}-${event.sequence}`);
	}
}

test('whatever happens, its counters are exact and it answers as one that keeps everything and looks afterwards', () => {
	const step = fc.oneof(
		{ weight: 1, arbitrary: fc.constant({ kind: 'open' as const }) },
		{ weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), at: fc.nat(), length: fc.nat(40) }) },
		{ weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), at: fc.nat() }) },
	);
	const limits = { events: 8, bytes: 120 };
	fc.assert(
		fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
			const events = new EventLog(limits);
			const model = new Model();
			const open: number[] = [];
			for (const one of steps) {
				const stream = one.kind === 'open' ? undefined : open[one.at % open.length];
				if (one.kind === 'open') open.push(events.openStream());
				else if (stream !== undefined && one.kind === 'append') {
					const id = events.append(stream, Buffer.alloc(one.length));
					expect(id).toBe(model.append(stream, one.length, limits.events, limits.bytes));
				} else if (stream !== undefined) {
					events.endStream(stream);
					model.ended[stream] = true;
					open.splice(open.indexOf(stream), 1);
				}
				expect([events.size, events.bytes]).toEqual([model.kept.length, model.sum]);
				const holders = new Set([...open, ...model.kept.map((event) => event.stream)]);
				expect(events.streamCount).toBe(holders.size);
			}
			for (const { stream, sequence } of model.all) {
				const replay = events.after(`${stream}-${sequence}`);
				const gone = model.ended[stream] === true && !model.kept.some((event) => event.stream === stream);
				if (gone) expect(replay).toBe('dropped');
				else if (typeof replay === 'string') expect(replay).toEqual(model.after(stream, sequence));
				else {
					expect(replay.frames.map((event) => event.id)).toEqual(model.after(stream, sequence));
					expect(replay.ended).toBe(model.ended[stream] === true);
				}
			}
		}),
		{ numRuns: 300 },
	);
});
