import { describe, expect, test } from 'vitest';
import { Inbox } from './inbox.ts';
import type { Receiver, TransportFault } from './transport.ts';

function receiver() {
	const seen: string[] = [];
	const faults: TransportFault[] = [];
	const one: Receiver = {
		message: ({ text, start, end }) => seen.push(text.toString('utf8', start, end)),
		failed: (fault) => faults.push(fault),
	};
	return { ...one, seen, faults };
}

function inbox() {
	const junk: string[] = [];
	const one = new Inbox((text) => junk.push(text.toString()));
	return { one, junk, take: (text: string) => one.take(Buffer.from(text)) };
}

const answer = (id: unknown) => `{"jsonrpc":"2.0","id":${String(id)},"result":{}}`;
const progress = (token: unknown) =>
	`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${String(token)},"progress":1}}`;
const request = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

describe('Inbox', () => {
	test('answers go to their request, once; progress goes to it before', () => {
		const { one, junk, take } = inbox();
		const [first, second, listener] = [receiver(), receiver(), receiver()];
		one.add(1, first);
		one.add(2, second);
		one.listen(listener);
		for (const text of [progress(2), answer(2), answer(2), progress(2), request, answer(1)]) take(text);
		expect(first.seen).toEqual([answer(1)]);
		expect(second.seen).toEqual([progress(2), answer(2)]);
		// The id of the server's request is its own: it is no answer.
		expect(listener.seen).toEqual([progress(2), request]);
		expect(junk).toEqual([answer(2)]);
	});

	test('a batch is its messages', () => {
		const { one, junk, take } = inbox();
		const [first, listener] = [receiver(), receiver()];
		one.add(1, first);
		one.listen(listener);
		take(` [ ${answer(1)} , ${request},[${answer(1)}],"x", null ]`);
		expect([first.seen, listener.seen]).toEqual([[answer(1)], [request]]);
		expect(junk).toEqual([`[${answer(1)}]`, '"x"', 'null']);
		take('[]');
		expect(junk).toHaveLength(3);
	});

	test.each(['', 'Server started', '{"jsonrpc":', '1', 'null', '"id"', '{}', answer('"1"'), answer(null), answer(1.5)])(
		'%j is junk',
		(text) => {
			const { one, junk, take } = inbox();
			const first = receiver();
			one.add(1, first);
			one.listen(first);
			take(text);
			expect(junk).toEqual([text]);
			expect(first.seen).toEqual([]);
		},
	);

	test('a byte order mark is no part of a message', () => {
		const { one, junk, take } = inbox();
		const first = receiver();
		one.add(1, first);
		take(`\uFEFF${answer(1)}`);
		expect([first.seen, junk]).toEqual([[answer(1)], []]);
	});

	test('what comes early waits for the listener, up to a limit', () => {
		const { one, junk, take } = inbox();
		for (let i = 0; i < 102; i++) take(request);
		expect(junk).toEqual([request, request]);
		const listener = receiver();
		one.listen(listener);
		expect(listener.seen).toHaveLength(100);
		const large = inbox();
		large.take(`{"method":"x","params":"${'x'.repeat(1024 * 1024)}"}`);
		expect(large.junk).toHaveLength(1);
	});

	test('the end fails all, and those who come later', () => {
		const { one } = inbox();
		const [first, listener, late] = [receiver(), receiver(), receiver()];
		const fault = { kind: 'io', reason: 'over', remedy: '' } as const;
		one.add(1, first);
		one.listen(listener);
		one.end(fault);
		one.listen(late);
		for (const { faults } of [first, listener, late]) expect(faults).toEqual([fault]);
	});
});
