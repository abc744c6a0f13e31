import { expect, test } from 'vitest';
import { ClientAsks } from './client-asks.ts';
import type { Answer, Ask } from '../model.ts';

/** A question of a server, with what became of it. */
class FakeAsk implements Ask {
	readonly method = 'sampling/createMessage';
	readonly params: Buffer | null;
	readonly answers: Answer[] = [];
	readonly reports: string[] = [];
	withdraw: () => void = () => {};

	constructor(params: string | null = null) {
		this.params = params === null ? null : Buffer.from(params);
	}

	answer(answer: Answer): void {
		this.answers.push(answer);
	}

	progress(params: Buffer): void {
		this.reports.push(params.toString());
	}

	onWithdrawn(then: () => void): void {
		this.withdraw = then;
	}
}

const result = (text: string) => ({ result: Buffer.from(text) });

test('each question has an id of its own, and its answer finds it', () => {
	const asks = new ClientAsks();
	const sent: string[] = [];
	const [one, two] = [new FakeAsk('{"a":1}'), new FakeAsk()];
	asks.put(one, (message) => sent.push(message.toString()));
	asks.put(two, (message) => sent.push(message.toString()));
	expect(sent).toEqual([
		'{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"a":1}}',
		'{"jsonrpc":"2.0","id":2,"method":"sampling/createMessage"}',
	]);
	asks.answered('2', result('{"second":true}'));
	asks.answered('2', result('{"again":true}'));
	asks.answered('"1"', result('{"of":"another type"}'));
	expect([one.answers, two.answers]).toEqual([[], [result('{"second":true}')]]);
});

test('a question that is withdrawn is cancelled at the client, once it was sent', () => {
	const asks = new ClientAsks();
	const sent: string[] = [];
	const ask = new FakeAsk();
	asks.put(ask, (message) => sent.push(message.toString()));
	ask.withdraw();
	ask.withdraw();
	expect(sent.slice(1)).toEqual(['{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}']);
	const gone = new FakeAsk();
	gone.onWithdrawn = (then) => then();
	asks.put(gone, (message) => sent.push(message.toString()));
	expect(sent).toHaveLength(2);
});

test('progress finds its question, though two servers chose the same token', () => {
	const asks = new ClientAsks();
	const tokens: string[] = [];
	const note = (message: Buffer) => {
		const { params } = JSON.parse(message.toString()) as { params: { _meta: { progressToken: string } } };
		tokens.push(params._meta.progressToken);
	};
	const [one, two] = [new FakeAsk('{"_meta":{"progressToken":7}}'), new FakeAsk('{"_meta":{"progressToken":7}}')];
	asks.put(one, note);
	asks.put(two, note);
	expect(new Set(tokens).size).toBe(2);
	expect(asks.progress(Buffer.from(`{"progressToken":"${tokens[1]}","progress":0.5}`))).toBe(true);
	expect([one.reports, two.reports]).toEqual([[], ['{"progressToken":7,"progress":0.5}']]);
	expect(asks.progress(Buffer.from('{"progressToken":"unknown","progress":1}'))).toBe(false);
	expect(asks.progress(Buffer.from('{"progress":1}'))).toBe(false);
});

test('when the client goes, whoever asked is told', () => {
	const asks = new ClientAsks();
	const ask = new FakeAsk();
	asks.put(ask, () => {});
	asks.close();
	expect(ask.answers).toMatchObject([{ error: { message: 'the client has gone' } }]);
	asks.answered('1', result('{}'));
	expect(ask.answers).toHaveLength(1);
});
