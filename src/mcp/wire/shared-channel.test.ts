import { expect, test } from 'vitest';
import type { Facts } from '../../facts/facts.ts';
import { type ChannelOutput, SharedChannel } from './shared-channel.ts';

const limits = { maximumEvents: 3, maximumBytes: 100, maximumResponseBytes: 1000 };
const facts: Facts = {
	bind: 'stdio',
	sourceAddress: 'stdio',
	method: 'stdio',
	host: '',
	path: '',
	httpVersion: '',
	startedAt: 0,
};
const bytes = (size: number) => Buffer.alloc(size, 0x78);

/** A reader that takes nothing until `reads` is set. */
class Output implements ChannelOutput {
	written: number[] = [];
	overflows = 0;
	endings = 0;
	reads = false;

	write(message: Buffer): boolean {
		this.written.push(message.length);
		return this.reads;
	}

	overflow(): void {
		this.overflows++;
	}

	ended(): void {
		this.endings++;
	}
}

function open(reads = false): { output: Output; channel: SharedChannel } {
	const output = new Output();
	output.reads = reads;
	return { output, channel: new SharedChannel(output, limits) };
}

test('too many messages overflow, once, until the queue is empty', () => {
	const { output, channel } = open();
	for (let i = 0; i < 3; i++) expect(channel.send(bytes(1))).toBe(true);
	expect(channel.send(bytes(1))).toBe(false);
	expect(channel.send(bytes(1))).toBe(false);
	expect(output).toMatchObject({ overflows: 1, written: [1, 1, 1, 1] });
	channel.drained();
	expect(channel.send(bytes(1))).toBe(true);
});

test('a refusal is an answer, and is sent to a client that does not keep up', () => {
	const { output, channel } = open();
	for (let i = 0; i < 4; i++) channel.send(bytes(1));
	channel.answer(bytes(7));
	expect(output).toMatchObject({ overflows: 1, written: [1, 1, 1, 1, 7] });
	channel.close();
	channel.answer(bytes(7));
	expect(output.written).toHaveLength(5);
});

test('too many bytes overflow', () => {
	const { output, channel } = open();
	expect(channel.send(bytes(101))).toBe(false);
	expect(output.overflows).toBe(1);
});

test('who reads may be told without end', () => {
	const { output, channel } = open(true);
	for (let i = 0; i < 1000; i++) expect(channel.send(bytes(90))).toBe(true);
	expect(output.overflows).toBe(0);
});

test('a response is written whatever waits, and only those behind too much of them overflow', () => {
	const { output, channel } = open();
	for (const id of ['1', '2', '3']) channel.part(Buffer.from(id), facts);
	channel.find('1')?.finish(bytes(900));
	expect(channel.send(bytes(1))).toBe(true);
	channel.find('2')?.finish(bytes(900));
	expect(output.overflows).toBe(0);
	channel.find('3')?.finish(bytes(1));
	expect(output).toMatchObject({ overflows: 1, endings: 3, written: [900, 1, 900, 1] });
});

test('a second request with the id of an open one does not hide the first', () => {
	const { output, channel } = open();
	const first = channel.part(Buffer.from('"a"'), facts);
	const second = channel.part(Buffer.from('"a"'), facts);
	second.finish(bytes(2));
	expect(channel.find('"a"')).toBe(first);
	first.finish(bytes(3));
	expect(output.written).toEqual([2, 3]);
	expect(channel.open).toBe(0);
});

test('a request that was taken back gets no response, and is over', () => {
	const { output, channel } = open();
	let idle = 0;
	const part = channel.part(Buffer.from('7'), facts);
	part.follow({ cancel: () => part.finish(bytes(5)) });
	channel.onIdle(() => idle++);
	part.silence();
	part.cancel();
	expect(output).toMatchObject({ written: [], endings: 1 });
	expect(idle).toBe(1);
});

test('nothing is written once nobody reads', () => {
	const { output, channel } = open();
	let gone = 0;
	const part = channel.part(Buffer.from('7'), facts);
	part.onGone(() => gone++);
	channel.close();
	expect(channel.send(bytes(1))).toBe(true);
	part.finish(bytes(1));
	expect(output.written).toEqual([]);
	expect(gone).toBe(1);
});
