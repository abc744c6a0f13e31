import { expect, test, vi } from 'vitest';
import { FakeTarget } from '../../../test/support/fake-target.ts';
import { gatewayCaller } from '../own-call.ts';
import { Upstreams } from './upstreams.ts';

const watch = { starting() {}, ready() {}, failed() {}, closed() {} };
const startTimeout = 40;

function open(targets: readonly FakeTarget[]): Upstreams {
	return new Upstreams({
		...{ targets, watch, startTimeout, caller: gatewayCaller, lanes: null, resume: null },
		events: { note() {}, ask() {}, joined() {}, rosterChanged() {} },
	});
}

/** A target that does not answer its greeting. */
function mute(name: string): FakeTarget {
	const target = new FakeTarget(name, {}, () => 'never');
	target.start = 'hangs';
	return target;
}

const pastTheDeadline = () => new Promise((resolve) => setTimeout(resolve, 3 * startTimeout));

test('a target that came later and does not answer in time is slow', async () => {
	const added = mute('b');
	const upstreams = open([]);
	await upstreams.follow([added], watch, 0);
	await vi.waitFor(() => expect(added.circuit.slow).toBe(true));
	await upstreams.close();
});

test('one whose client has gone before is not', async () => {
	const [first, added] = [mute('a'), mute('b')];
	const upstreams = open([first]);
	await upstreams.follow([first, added], watch, 0);
	await upstreams.close();
	await pastTheDeadline();
	expect([first.circuit.slow, added.circuit.slow]).toEqual([false, false]);
});

test('one that the configuration has dropped again before is not', async () => {
	const added = mute('b');
	const upstreams = open([]);
	await upstreams.follow([added], watch, 0);
	await upstreams.follow([], watch, 0);
	await pastTheDeadline();
	expect(added.circuit.slow).toBe(false);
	await upstreams.close();
});
