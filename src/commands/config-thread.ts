import { Worker } from 'node:worker_threads';
import type { ConfigTasks, TaskAnswer, TaskMessage } from './config-task.ts';

export interface ConfigThreadOptions {
	/** The built `config-worker`. */
	readonly entry: URL;
	/** Milliseconds that one task may take. Default 60,000. */
	readonly timeoutMs?: number;
	/** Milliseconds without a task after which the thread ends. Default 2,000. */
	readonly idleMs?: number;
}

interface Waiting {
	done(output: unknown): void;
	fail(error: Error): void;
	readonly deadline: NodeJS.Timeout;
}

/**
 * Reads configurations beside the event loop: the YAML of a thousand targets takes a second, in which no call would be
 * served, and a file that was damaged may take anything. The thread is there only while there is something to read.
 */
export class ConfigThread {
	private readonly options: ConfigThreadOptions;
	private worker: Worker | null = null;
	private readonly waiting = new Map<number, Waiting>();
	private nextId = 1;
	private idle: NodeJS.Timeout | null = null;

	constructor(options: ConfigThreadOptions) {
		this.options = options;
	}

	/** Does a task. Rejects when it failed, took too long or too much memory (1 GiB). */
	run<Kind extends keyof ConfigTasks>(
		kind: Kind,
		input: ConfigTasks[Kind]['takes'],
	): Promise<ConfigTasks[Kind]['gives']> {
		const { timeoutMs = 60_000 } = this.options;
		return new Promise((resolve, reject) => {
			const worker = this.start();
			const id = this.nextId++;
			const deadline = setTimeout(() => this.giveUp(worker, tooLong(timeoutMs)), timeoutMs);
			// The worker gives for each kind what the table says.
			const done = (output: unknown) => resolve(output as ConfigTasks[Kind]['gives']);
			this.waiting.set(id, { done, fail: reject, deadline });
			const message: TaskMessage = { id, kind, input };
			worker.postMessage(message);
		});
	}

	/** Ends the thread; what waits for it fails. */
	close(): void {
		if (this.worker !== null) this.giveUp(this.worker, new Error('it was closed'));
	}

	private start(): Worker {
		if (this.idle !== null) clearTimeout(this.idle);
		this.idle = null;
		if (this.worker === null) {
			const worker = new Worker(this.options.entry, { resourceLimits: { maxOldGenerationSizeMb: 1024 } });
			worker.on('message', (answer: TaskAnswer) => this.answered(worker, answer));
			worker.on('error', (error) => this.giveUp(worker, error));
			worker.on('exit', () => this.giveUp(worker, new Error('the thread has ended')));
			this.worker = worker;
		}
		this.worker.ref();
		return this.worker;
	}

	private answered(worker: Worker, answer: TaskAnswer): void {
		const one = this.waiting.get(answer.id);
		if (one === undefined) return;
		this.waiting.delete(answer.id);
		clearTimeout(one.deadline);
		if ('fault' in answer) one.fail(new Error(answer.fault));
		else one.done(answer.output);
		if (this.waiting.size > 0 || worker !== this.worker) return;
		// Neither keeps a process that wants to end.
		worker.unref();
		this.idle = setTimeout(() => this.giveUp(worker, new Error('idle')), this.options.idleMs ?? 2000).unref();
	}

	/** Ends a thread; what waits for it fails. The next task gets another one. */
	private giveUp(worker: Worker, error: Error): void {
		if (worker !== this.worker) return;
		this.worker = null;
		if (this.idle !== null) clearTimeout(this.idle);
		this.idle = null;
		void worker.terminate();
		for (const one of this.waiting.values()) {
			clearTimeout(one.deadline);
			one.fail(error);
		}
		this.waiting.clear();
	}
}

function tooLong(ms: number): Error {
	return new Error(`it took longer than ${ms / 1000} s`);
}
