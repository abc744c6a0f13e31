import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Heartbeat } from '../../lib/heartbeat.ts';
import { createSeal } from '../../lib/seal.ts';
import type { Answer, Ask, Caller, McpError, Result, Sink } from '../model.ts';
import { ParkedCall, Parking } from './parked.ts';

const caller: Caller = {
	principal: 'somebody',
	clientInfo: null,
	capabilities: Buffer.from('{"elicitation":{},"roots":{}}'),
	logLevel: null,
	handshake: false,
	interactive: true,
};
const binding = { principal: 'somebody', method: 'tools/call', name: 'book' };

let heartbeat: Heartbeat;
let parking: Parking;
beforeEach(() => {
	vi.useFakeTimers();
	heartbeat = new Heartbeat(rethrow);
	parking = new Parking(heartbeat, createSeal(Buffer.alloc(32), 'request state'), 60_000);
});
afterEach(() => {
	parking.close();
	heartbeat.stop();
	vi.useRealTimers();
});

class FakeAsk implements Ask {
	readonly answers: Answer[] = [];
	readonly method: string;
	readonly params: Buffer | null;
	withdraw: () => void = () => {};
	constructor(method: string, params: string | null = null) {
		this.method = method;
		this.params = params === null ? null : Buffer.from(params);
	}
	answer(answer: Answer): void {
		this.answers.push(answer);
	}
	progress(): void {}
	onWithdrawn(then: () => void): void {
		this.withdraw = then;
	}
}

interface InputRequired {
	resultType: string;
	inputRequests: Record<string, { method: string; params?: unknown }>;
	requestState: string;
}

function reply() {
	const results: Result[] = [];
	const errors: McpError[] = [];
	const sink: Sink = {
		note() {},
		ask() {},
		done: (result) => results.push(result),
		fail: (error) => errors.push(error),
	};
	const required = () => JSON.parse(results[0]?.text.toString() ?? '{}') as InputRequired;
	return { sink, results, errors, required };
}

function parkedCall(to: Sink) {
	let released = 0;
	let cancelled = 0;
	let starts = 0;
	const call = new ParkedCall(parking, binding, caller, to, () => released++);
	call.begin(() => {
		starts++;
		return { cancel: () => cancelled++ };
	});
	return { call, counts: () => ({ released, cancelled, starts }) };
}

const accept = Buffer.from('{"action":"accept","content":{"seats":2}}');
const finished: Result = { text: Buffer.from('{"content":[]}'), type: 'complete', stamped: false };

test('questions become a result, the next try answers them and gets the outcome', () => {
	const [first, second] = [reply(), reply()];
	const { call, counts } = parkedCall(first.sink);
	const [seats, roots] = [
		new FakeAsk('elicitation/create', '{"message":"how many?"}'),
		new FakeAsk('roots/list', '{}'),
	];
	call.ask(seats);
	call.ask(roots);
	expect(first.results).toEqual([]);
	vi.advanceTimersByTime(20);
	const { resultType, inputRequests, requestState } = first.required();
	expect([resultType, inputRequests]).toEqual([
		'input_required',
		{
			'input-1': { method: 'elicitation/create', params: { message: 'how many?' } },
			'input-2': { method: 'roots/list' },
		},
	]);
	const again = parking.take(requestState, binding);
	expect(again).toBe(call);
	call.resume(
		second.sink,
		new Map([
			['input-1', accept],
			['input-2', Buffer.from('{"roots":[]}')],
		]),
	);
	expect([seats.answers, roots.answers]).toEqual([
		[{ result: accept, holder: null }],
		[{ result: Buffer.from('{"roots":[]}'), holder: null }],
	]);
	call.done(finished);
	expect([second.results, counts()]).toEqual([[finished], { released: 1, cancelled: 0, starts: 1 }]);
});

test('a state is good once, for its own call and principal, and not for ever', () => {
	const to = reply();
	const { call, counts } = parkedCall(to.sink);
	const ask = new FakeAsk('elicitation/create');
	call.ask(ask);
	vi.advanceTimersByTime(20);
	const { requestState } = to.required();
	for (const other of [{ name: 'pay' }, { principal: 'another' }, { method: 'prompts/get' }]) {
		expect(parking.take(requestState, { ...binding, ...other })).toMatchObject({ code: -32602 });
	}
	expect(parking.take('a state of the server', binding)).toBe('foreign');
	vi.advanceTimersByTime(62_000);
	expect(parking.take(requestState, binding)).toMatchObject({ code: -32602 });
	expect([ask.answers, counts()]).toMatchObject([
		[{ error: { message: 'the client did not answer in time' } }],
		{ released: 1, cancelled: 1 },
	]);
});

test('what is missing, or answers nothing, is asked again; the rest is not', () => {
	const [first, second] = [reply(), reply()];
	const { call } = parkedCall(first.sink);
	const [one, two] = [new FakeAsk('elicitation/create'), new FakeAsk('elicitation/create')];
	call.ask(one);
	call.ask(two);
	vi.advanceTimersByTime(20);
	parking.take(first.required().requestState, binding);
	call.resume(
		second.sink,
		new Map([
			['input-1', accept],
			['input-2', Buffer.from('{"action":"perhaps"}')],
		]),
	);
	vi.advanceTimersByTime(20);
	expect(Object.keys(second.required().inputRequests)).toEqual(['input-2']);
	expect([one.answers.length, two.answers.length]).toEqual([1, 0]);
});

test('a client is not asked what it did not declare', () => {
	const to = reply();
	const { call } = parkedCall(to.sink);
	const sampling = new FakeAsk('sampling/createMessage');
	call.ask(sampling);
	vi.advanceTimersByTime(20);
	expect(sampling.answers).toMatchObject([{ error: { code: -32601 } }]);
	expect(to.results).toEqual([]);
});

test('a question that is withdrawn is not asked; what came while nobody waited is kept', () => {
	const [first, second] = [reply(), reply()];
	const { call, counts } = parkedCall(first.sink);
	const [gone, stays] = [new FakeAsk('elicitation/create'), new FakeAsk('elicitation/create')];
	call.ask(gone);
	call.ask(stays);
	gone.withdraw();
	vi.advanceTimersByTime(20);
	const { inputRequests, requestState } = first.required();
	expect(Object.keys(inputRequests)).toEqual(['input-2']);
	call.done(finished);
	expect(counts().released).toBe(1);
	parking.take(requestState, binding);
	call.resume(second.sink, new Map());
	expect(second.results).toEqual([finished]);
});

test('URLs that a server wants to be opened first are asked for, then the call is sent again', () => {
	const [first, second] = [reply(), reply()];
	const { call, counts } = parkedCall(first.sink);
	const data =
		'{"elicitations":[{"mode":"url","elicitationId":"e1","url":"https://example.com/","message":"Sign in"}]}';
	const error = { code: -32042, message: 'sign in', data: Buffer.from(data) };
	call.fail(error);
	vi.advanceTimersByTime(20);
	const { inputRequests, requestState } = first.required();
	expect(inputRequests['input-1']?.params).toEqual({ mode: 'url', url: 'https://example.com/', message: 'Sign in' });
	parking.take(requestState, binding);
	call.resume(second.sink, new Map([['input-1', Buffer.from('{"action":"accept"}')]]));
	expect(counts().starts).toBe(2);
	call.fail(error);
	expect(second.errors).toEqual([error]);
});

test('a client that goes away before it was asked takes the call back', () => {
	const to = reply();
	const { call, counts } = parkedCall(to.sink);
	call.cancel();
	call.done(finished);
	expect([to.results, counts()]).toEqual([[], { released: 1, cancelled: 1, starts: 1 }]);
});

function rethrow(fault: unknown): void {
	throw fault;
}

test('large calls wait up to 64 MiB together', () => {
	const park = () => {
		const to = reply();
		const call = new ParkedCall(parking, binding, caller, to.sink, () => {}, 16 * 1024 * 1024);
		call.begin(() => ({ cancel() {} }));
		call.ask(new FakeAsk('elicitation/create', '{}'));
		vi.advanceTimersByTime(20);
		return to;
	};
	const waiting = Array.from({ length: 4 }, park);
	expect(waiting.flatMap(({ errors }) => errors)).toEqual([]);
	expect(park().errors).toMatchObject([{ message: 'too many calls wait for their clients' }]);
	const [first] = waiting;
	const taken = parking.take(first?.required().requestState ?? '', binding);
	expect(taken).toBeInstanceOf(ParkedCall);
	expect(park().errors).toEqual([]);
	parking.beat(performance.now() + 120_000);
	expect(parking.size).toBe(0);
	expect(Array.from({ length: 4 }, park).flatMap(({ errors }) => errors)).toEqual([]);
});
