import { describe, expect, test } from 'vitest';
import { ConfigThread } from './config-thread.ts';
import { FileInThread } from './file-in-thread.ts';

/** A thread whose worker answers each message with what `body` makes of it. */
function threadOf(body: string, options: { timeoutMs?: number; idleMs?: number } = {}): ConfigThread {
	const code = `
		import { parentPort, threadId } from 'node:worker_threads';
		parentPort.on('message', ({ id, input }) => { ${body} });
	`;
	return new ConfigThread({ entry: new URL(`data:text/javascript,${encodeURIComponent(code)}`), ...options });
}

const answering = 'parentPort.postMessage({ id, output: `${input.text} ${threadId}` });';
const edit = (text: string) => ({ text, document: {} });
const numberOf = (answer: string) => answer.split(' ')[1];

describe('a thread that reads configurations', () => {
	test('answers each task with its own answer', async () => {
		const thread = threadOf(answering);
		const answers = await Promise.all(['a', 'b', 'c'].map((text) => thread.run('edit', edit(text))));
		expect(answers.map((answer) => answer.split(' ')[0])).toEqual(['a', 'b', 'c']);
		expect(new Set(answers.map(numberOf)).size).toBe(1);
	});

	test('ends when it has nothing to do, and comes again', async () => {
		const thread = threadOf(answering, { idleMs: 20 });
		const first = await thread.run('edit', edit('a'));
		await new Promise((resolve) => setTimeout(resolve, 200));
		expect(numberOf(await thread.run('edit', edit('b')))).not.toBe(numberOf(first));
	});

	test('is ended when a task takes too long, and every task that waits is told', async () => {
		const thread = threadOf(`if (input.text === 'loop') for (;;); ${answering}`, { timeoutMs: 300 });
		const both = await Promise.allSettled([thread.run('edit', edit('loop')), thread.run('edit', edit('a'))]);
		expect(both.map((one) => (one.status === 'rejected' ? String(one.reason) : one.value))).toEqual([
			'Error: it took longer than 0.3 s',
			'Error: it took longer than 0.3 s',
		]);
		expect(await thread.run('edit', edit('b'))).toMatch(/^b \d+$/);
	});

	test('can be closed in the middle of a task', async () => {
		const thread = threadOf('for (;;);');
		const task = thread.run('edit', edit('a'));
		thread.close();
		thread.close();
		await expect(task).rejects.toThrow('it was closed');
	});

	test.each([
		['that ends', 'process.exit(0);', /the thread has ended/],
		['that throws', "throw new Error('a bug');", /a bug/],
		['that says so', "parentPort.postMessage({ id, fault: 'Error: a fault' });", /a fault/],
	])('fails with the reason of a worker %s', async (_title, body, reason) => {
		const thread = threadOf(`if (input.text === 'wrong') { ${body} } else { ${answering} }`);
		await expect(thread.run('edit', edit('wrong'))).rejects.toThrow(reason);
		expect(await thread.run('edit', edit('b'))).toMatch(/^b \d+$/);
	});
});

test('a file whose text cannot be read to its end has a problem, and nothing is thrown', async () => {
	const file = new FileInThread('/x/config.yaml', threadOf('for (;;);', { timeoutMs: 100 }));
	expect(await file.check('a: 1')).toEqual({
		ok: false,
		problems: [
			{
				file: '/x/config.yaml',
				line: 0,
				column: 0,
				path: '',
				message: 'the text could not be read: it took longer than 0.1 s',
				remedy: 'is it the right file?',
			},
		],
	});
});
