import { expect, test, vi } from 'vitest';
import { Seat } from './exclusive-call.ts';
import type { Ask, Upstream } from '../model.ts';
import { gatewayCaller } from '../own-call.ts';

const upstream: Upstream = {
	pid: null,
	served: false,
	busy: false,
	resumption: null,
	start: () => ({ cancel() {} }),
	notify() {},
	setLevel() {},
	watch() {},
	unwatch() {},
	async close() {},
};

function ask() {
	return { method: 'roots/list', params: null, answer: vi.fn<Ask['answer']>(), progress() {}, onWithdrawn() {} };
}

test('what a server asks outside calls is refused where no client can ever answer', () => {
	const one = ask();
	new Seat(upstream, gatewayCaller).hold(one);
	expect(one.answer).toHaveBeenCalledWith({ error: expect.objectContaining({ code: -32601 }) });
});

test('what a server asks outside calls waits for a client that can answer', () => {
	const one = ask();
	new Seat(upstream, { ...gatewayCaller, capabilities: Buffer.from('{"roots":{}}'), interactive: true }).hold(one);
	expect(one.answer).not.toHaveBeenCalled();
});
