import { describe, expect, test } from 'vitest';
import { ConfigThread } from './config-thread.ts';

/** A thread whose worker answers each message with what `body` makes of it. */
function threadOf(body: string, options: { timeoutMs?: number; idleMs?: number } = {}): ConfigThread {
	const code = `
		import { parentPort, threadId } from 'node:worker_threads';
		parentPort.on('message', ({ input }) => { ${body} });
	`;
	return new ConfigThread({ entry: new URL(`data:text/javascript,${encodeURIComponent(code)}`), ...options });
}

const answering = 'parentPort.postMessage({ output: { text: `${input.text} ${threadId}` } });';

/** The text that comes back, and the number of the thread that sent it. */
async function ask(thread: ConfigThread, text: string): Promise<[text: string, thread: string]> {
	const edited = await thread.run('edit', { text, document: {} });
	const [back = '', number = ''] = 'text' in edited ? edited.text.split(' ') : [];
	return [back, number];
}

function outcomeOf(one: PromiseSettledResult<string[]>): unknown {
	return one.status === 'rejected' ? String(one.reason) : one.value[0];
}

describe('a thread that reads configurations', () => {
	test('answers each task with its own answer, one after the other', async () => {
		const thread = threadOf(answering);
		const answers = await Promise.all(['a', 'b', 'c'].map((text) => ask(thread, text)));
		expect(answers.map(([text]) => text)).toEqual(['a', 'b', 'c']);
		expect(new Set(answers.map(([, number]) => number)).size).toBe(1);
	});

	test('ends when it has nothing to do, and comes again', async () => {
		const thread = threadOf(answering, { idleMs: 20 });
		const [, first] = await ask(thread, 'a');
		await new Promise((resolve) => setTimeout(resolve, 200));
		expect((await ask(thread, 'b'))[1]).not.toBe(first);
	});

	test('is ended when a task takes too long; those that wait have a time of their own', async () => {
		const slow =
			"if (input.text === 'loop') for (;;); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);";
		const thread = threadOf(`${slow} ${answering}`, { timeoutMs: 1500 });
		const all = await Promise.allSettled(['a', 'loop', 'b', 'c'].map((text) => ask(thread, text)));
		expect(all.map(outcomeOf)).toEqual(['a', 'Error: it took longer than 1.5 s', 'b', 'c']);
	});

	test.each([
		['that ends', 'process.exit(0);', 'Error: the thread has ended'],
		['that throws', "throw new Error('a bug');", 'Error: a bug'],
		['that says so', "parentPort.postMessage({ fault: 'a fault' });", 'Error: a fault'],
	])('fails with the reason of a worker %s, and goes on with the next', async (_title, body, reason) => {
		const thread = threadOf(`if (input.text === 'wrong') { ${body} } else { ${answering} }`);
		const all = await Promise.allSettled(['wrong', 'b'].map((text) => ask(thread, text)));
		expect(all.map(outcomeOf)).toEqual([reason, 'b']);
	});

	test('fails a task that cannot be sent, and keeps nothing of it', async () => {
		const thread = threadOf(answering);
		let deep: unknown = [];
		for (let level = 0; level < 100_000; level++) deep = [deep];
		const [, first] = await ask(thread, 'a');
		const odd = [() => {}, deep].map((document) => thread.run('edit', { text: 'odd', document }));
		const next = ask(thread, 'b');
		expect((await Promise.allSettled(odd)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
		// By the same thread: nobody has waited for an answer that cannot come.
		expect(await next).toEqual(['b', first]);
	}, 5000);

	test('can be closed in the middle of a task, and is gone then', async () => {
		const thread = threadOf('for (;;);');
		const tasks = [ask(thread, 'a'), ask(thread, 'b')];
		thread.close();
		thread.close();
		const all = await Promise.allSettled([...tasks, ask(thread, 'c')]);
		expect(all.map(outcomeOf)).toEqual(Array(3).fill('Error: the gateway is stopping'));
	});
});
