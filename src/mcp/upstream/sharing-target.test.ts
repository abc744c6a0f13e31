import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Circuit } from '../health/circuit.ts';
import type {
	Ask,
	Call,
	Caller,
	Failure,
	McpError,
	Notice,
	ServerFacts,
	Sink,
	Target,
	Topic,
	UpstreamEvents,
} from '../model.ts';
import { gatewayCaller, ownCall } from '../own-call.ts';
import { type Sharing, SharingTarget } from './sharing-target.ts';

/** A server's connections as the target below opens them. */
interface Opened {
	readonly events: UpstreamEvents;
	readonly levels: string[];
	readonly topics: string[];
	readonly calls: { readonly call: Call; readonly sink: Sink }[];
	closed: boolean;
	ready: boolean;
	pings: number;
}

/** A target in memory; `handshake` decides of what kind the server is. */
function server(): { target: Target; opened: Opened[]; handshake: boolean; refuses: boolean } {
	const opened: Opened[] = [];
	const made = {
		opened,
		handshake: true,
		refuses: false,
		target: {
			name: 'one',
			local: true,
			circuit: new Circuit(),
			open: (_caller: Caller, events: UpstreamEvents) => {
				const one: Opened = { events, levels: [], topics: [], calls: [], closed: false, ready: false, pings: 0 };
				opened.push(one);
				setImmediate(() => {
					one.ready = true;
					events.ready(facts(made.handshake));
				});
				return {
					...{ pid: 1, served: true, busy: false, resumption: null },
					start: (call: Call, sink: Sink) => {
						one.calls.push({ call, sink });
						return { cancel: () => sink.fail({ code: 0, message: 'cancelled', data: null }) };
					},
					notify: () => {},
					setLevel: (level: string) => one.levels.push(level),
					watch: (topic: Topic, done: (refusal: McpError | null) => void) => {
						if (!one.ready) return done({ code: 0, message: 'not there yet', data: null });
						if (made.refuses) return done({ code: 0, message: 'no', data: null });
						one.topics.push(`+${topic.id}`);
						done(null);
					},
					unwatch: (topic: Topic) => one.topics.push(`-${topic.id}`),
					ping: () => one.pings++,
					close: async () => {
						one.closed = true;
					},
				};
			},
		},
	};
	return made;
}

const failure: Failure = { reason: 'it broke', remedy: '', exitCode: null, signal: null, stderr: [] };

function facts(handshake: boolean): ServerFacts {
	const text = Buffer.from('{}');
	const serverInfo = { name: 's', version: '1' };
	const rest = { protocolVersion: 'x', capabilities: {}, capabilitiesText: text, instructions: null, handshake };
	return { serverInfo, serverInfoText: text, ...rest };
}

function caller(principal: string, interactive = false, handshake = true): Caller {
	const capabilities = Buffer.from(interactive ? '{"sampling":{}}' : '{}');
	return { principal, clientInfo: null, capabilities, logLevel: null, handshake, interactive };
}

/** What one user heard. */
function user(target: SharingTarget, who: Caller) {
	const heard: string[] = [];
	const upstream = target.open(who, {
		ready: () => heard.push('ready'),
		failed: ({ reason }) => heard.push(reason),
		note: ({ method }: Notice) => heard.push(method),
		ask: (ask: Ask) => heard.push(ask.method),
	});
	return { upstream, heard };
}

function sharing(target: Target, how: Sharing, idleTimeout: number | null = null): SharingTarget {
	return new SharingTarget({ target, sharing: how, idleTimeout, ready: () => {} });
}

/** A sink that remembers how it ended. */
function sink(): Sink & { readonly got: string[] } {
	const got: string[] = [];
	return {
		got,
		note: ({ method }) => got.push(method),
		ask: ({ method }) => got.push(method),
		done: () => got.push('done'),
		fail: ({ message }) => got.push(message),
	};
}

const rest = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('SharingTarget', () => {
	test.each([true, false])(
		'nobody joins what the gateway opens for its own look (handshake: %s)',
		async (handshake) => {
			const made = server();
			made.handshake = handshake;
			const target = sharing(made.target, 'all');
			const look = user(target, gatewayCaller);
			await rest();
			const client = user(target, { ...gatewayCaller, principal: 'a' });
			await rest();
			expect([look.heard, client.heard]).toEqual([['ready'], ['ready']]);
			expect(made.opened).toHaveLength(2);
			await look.upstream.close();
			expect(made.opened.map(({ closed }) => closed)).toEqual([true, false]);
			// The other way round, it needs none of its own.
			user(target, gatewayCaller);
			expect(made.opened).toHaveLength(2);
		},
	);

	test.each([
		['session', 3],
		['principal', 2],
		['all', 1],
	] as const)('%s', async (how, connections) => {
		const { target, opened } = server();
		const shared = sharing(target, how);
		const users = ['a', 'a', 'b'].map((principal) => user(shared, caller(principal)));
		await rest();
		expect(opened).toHaveLength(connections);
		expect(users.map(({ heard }) => heard)).toEqual([['ready'], ['ready'], ['ready']]);
		for (const { upstream } of users) await upstream.close();
		expect(opened.every(({ closed }) => closed)).toBe(true);
	});

	test('subscribes once, logs at the most verbose level, and tells all', async () => {
		const { target, opened } = server();
		const shared = sharing(target, 'all');
		const [first, second] = [user(shared, caller('a')), user(shared, caller('b'))];
		await rest();
		const topic: Topic = { kind: 'resource', id: 'x' };
		first.upstream.watch(topic, () => {});
		second.upstream.watch(topic, () => {});
		first.upstream.setLevel('warning');
		second.upstream.setLevel('debug');
		first.upstream.unwatch(topic);
		expect(opened[0]?.topics).toEqual(['+x']);
		opened[0]?.events.note({ method: 'changed', params: null });
		expect([first.heard.at(-1), second.heard.at(-1)]).toEqual(['changed', 'changed']);
		await second.upstream.close();
		expect(opened[0]?.topics).toEqual(['+x', '-x']);
		expect(opened[0]?.levels).toEqual(['warning', 'debug', 'warning']);
		expect(opened[0]?.closed).toBe(false);
	});

	test('tells nobody of a resource who has not subscribed to it', async () => {
		for (const handshake of [true, false]) {
			const made = server();
			made.handshake = handshake;
			const shared = sharing(made.target, 'all');
			const users = [user(shared, caller('a')), user(shared, caller('b')), user(shared, caller('c'))];
			await rest();
			users[0]?.upstream.watch({ kind: 'resource', id: 'x://a' }, () => {});
			users[1]?.upstream.watch({ kind: 'resource', id: 'x://ab' }, () => {});
			const method = 'notifications/resources/updated';
			for (const params of ['{"uri":"x://a/part"}', '{"uri":1}', '{}'])
				made.opened[0]?.events.note({ method, params: Buffer.from(params) });
			made.opened[0]?.events.note({ method, params: null });
			expect(users.map(({ heard }) => heard.filter((one) => one === method).length)).toEqual([1, 0, 0]);
		}
	});

	test('one call at a time where a server may ask in its middle, so that nobody is asked for another', async () => {
		const { target, opened } = server();
		const shared = sharing(target, 'all');
		const [first, second] = [user(shared, caller('a', true)), user(shared, caller('b', true))];
		await rest();
		const [one, two] = [sink(), sink()];
		first.upstream.start(ownCall('tools/call', {}, caller('a', true)), one);
		second.upstream.start(ownCall('tools/call', {}, caller('b', true)), two);
		expect(opened[0]?.calls).toHaveLength(1);
		opened[0]?.calls[0]?.sink.done({ text: Buffer.from('{}'), type: 'complete', stamped: false });
		await rest();
		expect(one.got).toEqual(['done']);
		expect(opened[0]?.calls).toHaveLength(2);
	});

	test('who leaves takes only its own calls along', async () => {
		const { target, opened } = server();
		const shared = sharing(target, 'all');
		const [first, second] = [user(shared, caller('a')), user(shared, caller('b'))];
		await rest();
		const [one, two] = [sink(), sink()];
		first.upstream.start(ownCall('tools/call', {}, caller('a')), one);
		second.upstream.start(ownCall('tools/call', {}, caller('b')), two);
		await first.upstream.close();
		expect([one.got, two.got]).toEqual([['cancelled'], []]);
		expect(opened[0]?.closed).toBe(false);
	});

	test('a server without a handshake is shared by all, once that is known, and no longer when it changes', async () => {
		const made = server();
		made.handshake = false;
		const shared = sharing(made.target, 'session');
		const together = [user(shared, caller('a')), user(shared, caller('b'))];
		await rest();
		await rest();
		const third = user(shared, caller('c'));
		await rest();
		expect([...together, third].map(({ heard }) => heard[0])).toEqual(['ready', 'ready', 'ready']);
		expect(made.opened.filter(({ closed }) => !closed)).toHaveLength(1);
		for (const { upstream } of [...together, third]) await upstream.close();
		made.handshake = true;
		const before = made.opened.length;
		const apart = [user(shared, caller('a')), user(shared, caller('b'))];
		await rest();
		await rest();
		expect(apart.map(({ heard }) => heard)).toEqual([['ready'], ['ready']]);
		expect(made.opened.slice(before).filter(({ closed }) => !closed)).toHaveLength(2);
	});

	test('what a server without a handshake logs is heard by who calls, and by nobody while several call', async () => {
		const made = server();
		made.handshake = false;
		const shared = sharing(made.target, 'session');
		const [first, second] = [user(shared, caller('a')), user(shared, caller('b'))];
		await rest();
		await rest();
		const [one, two] = [sink(), sink()];
		const log: Notice = { method: 'notifications/message', params: null };
		const call = (who: typeof first, heard: Sink) => who.upstream.start(ownCall('tools/call', {}, caller('a')), heard);
		call(first, one);
		const calls = made.opened.flatMap((connection) => connection.calls);
		calls[0]?.sink.note(log);
		call(second, two);
		calls[0]?.sink.note(log);
		made.opened[0]?.events.note(log);
		expect([one.got, two.got, first.heard, second.heard]).toEqual([[log.method], [], ['ready'], ['ready']]);
	});

	test('what is subscribed while the connection is closed opens it, and is told when it stands', async () => {
		const made = server();
		const { upstream } = user(sharing(made.target, 'session', 1), caller('a'));
		await rest();
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(made.opened[0]?.closed).toBe(true);
		const told: unknown[] = [];
		upstream.watch({ kind: 'resource', id: 'kept' }, (refusal) => told.push(refusal));
		upstream.watch({ kind: 'resource', id: 'dropped' }, (refusal) => told.push(refusal));
		upstream.unwatch({ kind: 'resource', id: 'dropped' });
		await rest();
		await rest();
		expect(told).toEqual([null, null]);
		expect(made.opened[1]).toMatchObject({ topics: ['+kept'], closed: false });
		await upstream.close();
	});

	test('a subscription stops the time that runs, and what is refused lets it run again', async () => {
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
		onTestFinished(() => void vi.useRealTimers());
		const made = server();
		const { upstream } = user(sharing(made.target, 'session', 1000), caller('a'));
		await rest();
		const told: unknown[] = [];
		upstream.watch({ kind: 'resource', id: 'kept' }, (refusal) => told.push(refusal));
		vi.advanceTimersByTime(2000);
		expect(made.opened[0]?.closed).toBe(false);
		upstream.unwatch({ kind: 'resource', id: 'kept' });
		vi.advanceTimersByTime(2000);
		expect(made.opened[0]?.closed).toBe(true);
		made.refuses = true;
		upstream.watch({ kind: 'resource', id: 'refused' }, (refusal) => told.push(refusal?.message));
		await rest();
		vi.advanceTimersByTime(2000);
		expect(told).toEqual([null, 'no']);
		expect(made.opened[1]?.closed).toBe(true);
		await upstream.close();
	});

	test('a server that says again that it is ready is told of the subscriptions again', async () => {
		const made = server();
		const { upstream } = user(sharing(made.target, 'session'), caller('a'));
		await rest();
		upstream.watch({ kind: 'resource', id: 'x' }, () => {});
		made.opened[0]?.events.ready(facts(true));
		expect(made.opened[0]?.topics).toEqual(['+x', '+x']);
		await upstream.close();
	});

	test('one start is news once: the others join what is known, and fail without a start of their own', async () => {
		const { target, opened } = server();
		const shared = sharing(target, 'all');
		const news: string[] = [];
		const follow = (name: string) =>
			shared.open(caller(name), {
				ready: (_server, kept) => news.push(`${name} ${kept === true ? 'kept' : 'new'}`),
				failed: ({ untried }) => news.push(`${name} ${untried === true ? 'untried' : 'failed'}`),
				note() {},
				ask() {},
			});
		follow('a');
		follow('b');
		await rest();
		follow('c');
		await rest();
		expect(news.splice(0)).toEqual(['a new', 'b new', 'c kept']);
		opened[0]?.events.failed(failure);
		expect(news).toEqual(['a failed', 'b untried', 'c untried']);
	});

	test.each([
		['that is silent is given up when its calls have opened the circuit', () => {}, true],
		['whose server says something stays', ({ events }: Opened) => events.note({ method: 'x', params: null }), false],
	])('a connection %s', async (_name, inTheMeantime, ends) => {
		vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
		onTestFinished(() => void vi.useRealTimers());
		const { target, opened } = server();
		const { heard } = user(sharing(target, 'all'), caller('a'));
		await rest();
		const [one] = opened;
		for (let n = 0; n < 5; n++) target.circuit.failed('timeout', failure, 2500);
		expect([target.circuit.state, one?.pings]).toEqual(['open', 1]);
		vi.advanceTimersByTime(5000);
		if (one !== undefined) inTheMeantime(one);
		vi.advanceTimersByTime(6000);
		expect(heard.includes('it answered neither calls nor a ping')).toBe(ends);
	});

	test('a circuit that opens for another reason says nothing of a connection that stands', async () => {
		const { target, opened } = server();
		user(sharing(target, 'all'), caller('a'));
		await rest();
		for (let n = 0; n < 5; n++) target.circuit.failed('start', failure, 2500);
		expect([target.circuit.state, opened[0]?.pings]).toEqual(['open', 0]);
	});
});
