import { expect, test } from 'vitest';
import type { McpError, Topic } from './model.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Leg } from './legs/leg.ts';
import type { Upstreams } from './legs/upstreams.ts';

const topic: Topic = { kind: 'resource', id: 'file:///a' };

/** One target, `a`, which is known and answers only when told to. */
function oneTarget() {
	const sent: string[] = [];
	const answers: ((refusal: McpError | null) => void)[] = [];
	const known: (() => void)[] = [];
	const upstream = {
		watch(_topic: Topic, done: (refusal: McpError | null) => void) {
			sent.push('watch');
			answers.push(done);
		},
		unwatch: () => sent.push('unwatch'),
	};
	const leg = {
		target: { name: 'a' },
		state: 'ready',
		upstream,
		whenKnown: (then: () => void) => known.push(then),
	} as unknown as Leg;
	const upstreams = { leg: () => leg } as unknown as Upstreams;
	return { subscriptions: new Subscriptions(upstreams), sent, answers, known };
}

test('who leaves before the server is there leaves nothing behind', () => {
	const { subscriptions, sent, known } = oneTarget();
	const follower = {};
	const said: unknown[] = [];
	subscriptions.add(follower, 'a', topic, (refusal) => said.push(refusal));
	subscriptions.remove(follower, 'a', topic);
	for (const then of known) then();
	expect(sent).not.toContain('watch');
	expect(said).toEqual([null]);
});

test('a subscription that comes about after its last follower has left is ended', () => {
	const { subscriptions, sent, answers, known } = oneTarget();
	const follower = {};
	subscriptions.add(follower, 'a', topic, () => {});
	for (const then of known) then();
	subscriptions.remove(follower, 'a', topic);
	for (const answer of answers) answer(null);
	expect(sent.at(-1)).toBe('unwatch');
	expect(sent).toEqual(['watch', 'unwatch', 'unwatch']);
});

test('long names are followed up to a measure, and again once others have gone', () => {
	const { subscriptions } = oneTarget();
	const follower = {};
	const refused: number[] = [];
	const follow = (at: number) =>
		subscriptions.add(follower, 'a', { kind: 'resource', id: `${at}:`.padEnd(8192, 'x') }, (refusal) => {
			if (refusal !== null) refused.push(at);
		});
	for (let at = 0; at < 40; at++) follow(at);
	expect(refused).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
	subscriptions.removeAll(follower);
	refused.length = 0;
	for (let at = 0; at < 32; at++) follow(at);
	expect(refused).toEqual([]);
});

test('what one follows leaves room for others who share the connections', () => {
	const { subscriptions } = oneTarget();
	const [greedy, modest] = [{}, {}];
	const refused: string[] = [];
	const follow = (follower: object, id: string) =>
		subscriptions.add(follower, 'a', { kind: 'resource', id }, (refusal) => {
			if (refusal !== null) refused.push(id);
		});
	for (let at = 0; at < 1001; at++) follow(greedy, `file:///${at}`);
	expect(refused).toEqual(['file:///1000']);
	// What is followed already counts for who follows it, too.
	for (const id of ['file:///mine', 'file:///0', 'file:///0']) follow(modest, id);
	subscriptions.remove(greedy, 'a', { kind: 'resource', id: 'file:///0' });
	follow(greedy, 'file:///again');
	expect(refused).toEqual(['file:///1000']);
	for (let other = 0; other < 10; other++) {
		const another = {};
		for (let at = 0; at < 1000; at++) follow(another, `file:///${other}/${at}`);
	}
	// Ten thousand in all.
	expect(refused).toHaveLength(1 + 1002);
	subscriptions.removeAll(greedy);
	refused.length = 0;
	follow(modest, 'file:///later');
	expect(refused).toEqual([]);
});
