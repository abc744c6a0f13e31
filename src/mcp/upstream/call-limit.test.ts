import { expect, test } from 'vitest';
import { LargeResult } from '../large-result.ts';
import type { JsonText, Sink } from '../model.ts';
import { gatewayCaller, ownCall } from '../own-call.ts';
import { CallLimit, type LimitUser } from './call-limit.ts';

const call = ownCall('tools/call', { name: 'large' }, gatewayCaller);

const bug = { code: -32603, message: 'a bug', data: null };

/** A connection whose calls are answered by the test. */
class Held implements LimitUser {
	queued = 0;
	readonly sinks: Sink[] = [];

	begin(_call: typeof call, sink: Sink) {
		this.sinks.push(sink);
		return { cancel() {} };
	}

	faulted() {
		return bug;
	}
}

/** A client that takes results unread, unless they are stamped. */
class Taker implements Sink {
	readonly taken: JsonText[] = [];

	inPieces(result: LargeResult): readonly JsonText[] | null {
		return result.stamped ? null : result.pieces;
	}

	pass(pieces: readonly JsonText[]): void {
		this.taken.push(...pieces);
	}

	note(): void {}
	ask(): void {}
	done(): void {}
	fail(): void {}
}

test('a large result passes a limit unread where its client takes it so, and makes room for the next call', () => {
	const limit = new CallLimit('one', 1);
	const user = new Held();
	const client = new Taker();
	limit.start(user, call, client);
	limit.start(user, call, new Taker());
	expect(user.sinks).toHaveLength(1);
	const [sink] = user.sinks;
	const pieces = [Buffer.from('{"content":'), Buffer.from('[]}')];
	expect(sink?.inPieces?.(new LargeResult(pieces, true))).toBeNull();
	expect(sink?.inPieces?.(new LargeResult(pieces, false))).toBe(pieces);
	sink?.pass?.(pieces);
	expect(Buffer.concat(client.taken).toString()).toBe('{"content":[]}');
	expect([user.sinks.length, user.queued]).toEqual([2, 0]);
});

test('a client that looks into results is not passed them', () => {
	const user = new Held();
	new CallLimit('one', 1).start(user, call, { note() {}, ask() {}, done() {}, fail() {} });
	expect(user.sinks[0]?.inPieces?.(new LargeResult([Buffer.from('{}')], false))).toBeNull();
});

test('however many calls wait that are refused at once, all are answered', () => {
	const limit = new CallLimit('one', 800);
	const user = new Held();
	const ends: string[] = [];
	const client = { note() {}, ask() {}, done: () => ends.push('done'), fail: () => ends.push('fail') };
	for (let at = 0; at < 800; at++) limit.start(user, call, client);
	const refusing: LimitUser = {
		queued: 0,
		begin(_call, sink) {
			sink.fail({ code: -32602, message: 'refused', data: null });
			return { cancel() {} };
		},
		faulted: () => bug,
	};
	for (let at = 0; at < 3200; at++) limit.start(refusing, call, client);
	user.sinks[0]?.done({ text: Buffer.from('{}') } as never);
	expect([ends.length, refusing.queued]).toEqual([3201, 0]);
});

test.each(['at once', 'after waiting'])(
	'a bug that shows when a call begins %s costs no place and no answer',
	(when) => {
		const limit = new CallLimit('one', 1);
		const ends: string[] = [];
		const client = (name: string): Sink => ({
			...{ note() {}, ask() {} },
			done: () => ends.push(`${name} done`),
			fail: ({ message }) => ends.push(`${name}: ${message}`),
		});
		const buggy: LimitUser = {
			queued: 0,
			begin() {
				throw new Error('a bug');
			},
			faulted: () => bug,
		};
		const user = new Held();
		if (when === 'after waiting') limit.start(user, call, client('first'));
		limit.start(buggy, call, client('buggy'));
		limit.start(user, call, client('second'));
		for (let at = 0; at < user.sinks.length; at++) user.sinks[at]?.done({ text: Buffer.from('{}') } as never);
		expect(ends.toSorted()).toEqual([
			'buggy: a bug',
			...(when === 'after waiting' ? ['first done'] : []),
			'second done',
		]);
		expect([buggy.queued, user.queued]).toEqual([0, 0]);
	},
);
