import { expect, test } from 'vitest';
import type { McpError, Topic, Upstream } from './model.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Leg, Upstreams } from './upstreams.ts';

const topic: Topic = { kind: 'resource', id: 'memo:x' };

function target() {
	const heard: string[] = [];
	const waiting: ((refusal: McpError | null) => void)[] = [];
	const upstream = {
		watch: ({ id }: Topic, done: (refusal: McpError | null) => void) => {
			heard.push(`watch ${id}`);
			waiting.push(done);
		},
		unwatch: ({ id }: Topic) => heard.push(`unwatch ${id}`),
	};
	const leg = {
		target: { name: 'a' },
		state: 'ready',
		upstream: upstream as unknown as Upstream,
		whenKnown: (then: () => void) => then(),
	} as unknown as Leg;
	const upstreams = { leg: (name: string) => (name === 'a' ? leg : undefined) } as unknown as Upstreams;
	return { subscriptions: new Subscriptions(upstreams), heard, waiting, leg };
}

test('the server hears of the first follower and of the last', () => {
	const { subscriptions, heard, waiting } = target();
	const [one, two] = [{}, {}];
	const answers: unknown[] = [];
	subscriptions.add(one, 'a', topic, (refusal) => answers.push(refusal));
	subscriptions.add(two, 'a', topic, (refusal) => answers.push(refusal));
	expect([heard, answers]).toEqual([['watch memo:x'], []]);
	waiting[0]?.(null);
	expect(answers).toEqual([null, null]);
	subscriptions.remove(one, 'a', topic);
	subscriptions.remove(one, 'a', topic);
	expect(heard).toEqual(['watch memo:x']);
	subscriptions.removeAll(two);
	expect(heard).toEqual(['watch memo:x', 'unwatch memo:x']);
});

test('a refusal reaches all who wait, and the next one asks anew', () => {
	const { subscriptions, heard, waiting } = target();
	const answers: unknown[] = [];
	const refusal: McpError = { code: -32602, message: 'no', data: null };
	subscriptions.add({}, 'a', topic, (answer) => answers.push(answer));
	subscriptions.add({}, 'a', topic, (answer) => answers.push(answer));
	waiting[0]?.(refusal);
	expect(answers).toEqual([refusal, refusal]);
	subscriptions.add({}, 'a', topic, () => {});
	expect(heard).toEqual(['watch memo:x', 'watch memo:x']);
});

test('a new connection hears of what is followed; a target that is not there refuses', () => {
	const { subscriptions, heard, waiting, leg } = target();
	subscriptions.add({}, 'a', topic, () => {});
	waiting[0]?.(null);
	subscriptions.restore(leg);
	expect(heard).toEqual(['watch memo:x', 'watch memo:x']);
	const answers: (McpError | null)[] = [];
	subscriptions.add({}, 'b', topic, (answer) => answers.push(answer));
	expect(answers).toMatchObject([{ code: -32602 }]);
});
