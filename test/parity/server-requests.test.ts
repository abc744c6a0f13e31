import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conformanceServer } from '../support/conformance-fixture.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { HttpMcpServer } from '../support/http-mcp-server.ts';
import { gatewayFor, httpTarget, stdioTarget } from './backends.ts';
import { capabilitiesKey, type Loose, modern, send, Session, firstOf } from './wire.ts';

let gateway: RunningGateway;
let a: HttpMcpServer;
let b: HttpMcpServer;

const asked = { elicitation: {}, sampling: {}, roots: { listChanged: true } };

beforeAll(async () => {
	a = await HttpMcpServer.start({ eras: ['legacy'] });
	b = await HttpMcpServer.start({ eras: ['legacy'] });
	const stdio = (era: string) => stdioTarget(era, conformanceServer, '--era', era);
	gateway = await gatewayFor([
		{ targets: [httpTarget('a', a.url), httpTarget('b', b.url)] },
		{ targets: [stdio('legacy'), stdio('modern')] },
	]);
});

afterAll(async () => {
	expect(await gateway.stop()).toBe(0);
	expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	await Promise.all([a.close(), b.close()]);
});

const servers = 0;
const children = 1;
const at = (bind: number) => `${gateway.url(bind)}/mcp`;

/** Messages without method that a server got: answers to what it asked. */
const answersTo = (server: HttpMcpServer): Loose[] => server.of('').map(({ text }) => JSON.parse(text));

/** The server asks for an elicitation with `id` in the middle of each call, and ends the call with the answer. */
function asksWith(server: HttpMcpServer, id: string | number): void {
	server.override('tools/call', (received, response) => {
		const params = { message: `from ${server.port}`, requestedSchema: { type: 'object', properties: {} } };
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, method: 'elicitation/create', params })}\n\n`);
		const waiting = setInterval(() => {
			const answer = answersTo(server).find((one) => one.id === id);
			if (answer === undefined) return;
			clearInterval(waiting);
			const result = { content: [{ type: 'text', text: JSON.stringify(answer.result) }] };
			response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: received.id, result })}\n\n`);
		}, 10);
		response.on('close', () => clearInterval(waiting));
	});
}

describe('what two servers ask', () => {
	test.each([[1], ['1'], ['a:b'], ['a:n:1'], ['agw_a_n_1'], ['with_under_scores'], [0]])(
		'with the equal id %j is told apart, and each answer finds its server with that id',
		async (id) => {
			a.received.length = 0;
			b.received.length = 0;
			asksWith(a, id);
			asksWith(b, id);
			const session = await Session.open(at(servers), asked);
			const streams = await Promise.all(
				['a_echo', 'b_echo'].map((name) => session.stream('tools/call', { name, arguments: {} })),
			);
			await expect.poll(() => streams.map(({ seen }) => seen.length)).toEqual([1, 1]);
			const [one, two] = streams.map(({ seen }) => seen[0]);
			expect(one.id).not.toBe(two.id);
			// In the other order, so that nothing but the id can lead them home.
			await session.answer(two.id, { result: { action: 'accept', content: { to: 'b' } } });
			await session.answer(one.id, { result: { action: 'accept', content: { to: 'a' } } });
			await Promise.all(streams.map(({ ended }) => ended));
			const texts = streams.map(({ seen }) => seen.at(-1).result.content[0].text);
			expect(texts.map((text) => JSON.parse(text).content.to)).toEqual(['a', 'b']);
			expect([...answersTo(a), ...answersTo(b)].map((answer) => answer.id)).toEqual([id, id]);
			await session.end();
			a.override('tools/call', null);
			b.override('tools/call', null);
		},
	);

	test('a ping of a server is answered by the gateway, with its id, to that server only', async () => {
		const session = await Session.open(at(servers));
		const stream = await session.listen();
		await expect.poll(() => a.streams.size).toBeGreaterThan(0);
		for (const id of [41, 'p:n:1']) {
			a.received.length = 0;
			b.received.length = 0;
			for (const { response } of a.streams)
				response.write(`data: {"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"ping"}\n\n`);
			await expect.poll(() => answersTo(a)[0]).toEqual({ jsonrpc: '2.0', id, result: {} });
			expect(answersTo(b)).toEqual([]);
		}
		expect(stream.seen).toEqual([]);
		stream.close();
		await session.end();
	});

	test('an answer to nothing, or to somebody else’s question, is dropped', async () => {
		asksWith(a, 9);
		a.received.length = 0;
		const mine = await Session.open(at(servers), asked);
		const others = await Session.open(at(servers), asked);
		const stream = await mine.stream('tools/call', { name: 'a_echo', arguments: {} });
		await expect.poll(() => stream.seen.length).toBe(1);
		const { id } = stream.seen[0];
		const answer = { result: { action: 'accept', content: {} } };
		for (const [session, to] of [
			[others, id],
			[mine, 'agw_a_n_9'],
			[mine, 9],
			[mine, null],
		] as const)
			expect((await session.answer(to, answer)).status).toBeLessThan(500);
		expect(answersTo(a)).toEqual([]);
		await mine.answer(id, answer);
		await stream.ended;
		expect(answersTo(a)).toHaveLength(1);
		a.override('tools/call', null);
		await mine.end();
		await others.end();
	});
});

describe.each(['legacy', 'modern'])('a child of the era %s', (target) => {
	const questions = [
		[
			'test_input_required_result_sampling',
			'sampling/createMessage',
			{ role: 'assistant', model: 'm', content: { type: 'text', text: 'Paris' } },
			'Paris',
		],
		['test_input_required_result_list_roots', 'roots/list', { roots: [{ uri: 'file:///r', name: 'r' }] }, 'file:///r'],
		['test_input_required_result_elicitation', 'elicitation/create', { action: 'decline' }, 'decline'],
	] as const;

	test.each(questions)('%s asks an old client', async (name, method, result, expected) => {
		const session = await Session.open(at(children), asked);
		const stream = await session.stream('tools/call', { name: `${target}_${name}`, arguments: {} });
		await expect.poll(() => stream.seen.length).toBe(1);
		expect(stream.seen[0].method).toBe(method);
		await session.answer(stream.seen[0].id, { result });
		await stream.ended;
		expect(stream.seen.at(-1).result.content[0].text).toContain(expected);
		await session.end();
	});

	test.each(questions)('%s asks a new client', async (name, method, result, expected) => {
		const meta = { [capabilitiesKey]: asked };
		const params = { name: `${target}_${name}`, arguments: {} };
		const { last } = await send(at(children), modern('tools/call', params, meta));
		const [key, request] = firstOf(last.result.inputRequests);
		expect(request.method).toBe(method);
		const { requestState } = last.result;
		const retry = { ...params, inputResponses: { [key]: result }, ...(requestState && { requestState }) };
		const { last: second } = await send(at(children), modern('tools/call', retry, meta));
		expect(second.result.content[0].text).toContain(expected);
	});

	test('asks nobody who cannot answer', async () => {
		const name = `${target}_test_input_required_result_sampling`;
		const session = await Session.open(at(children));
		const reply = await session.request('tools/call', { name, arguments: {} });
		expect(reply.messages).toHaveLength(1);
		expect(reply.last.error ?? reply.last.result.isError).toBeTruthy();
		await session.end();
	});

	test('a client that refuses a question is told of by the error that it gave', async () => {
		const session = await Session.open(at(children), asked);
		const stream = await session.stream('tools/call', { name: `${target}_test_sampling`, arguments: { prompt: 'x' } });
		await expect.poll(() => stream.seen.length).toBe(1);
		await session.answer(stream.seen[0].id, { error: { code: -1, message: 'the user said no' } });
		await stream.ended;
		const { error, result } = stream.seen.at(-1);
		expect(JSON.stringify(error ?? result)).toMatch(/the user said no|isError/);
		await session.end();
	});
});
