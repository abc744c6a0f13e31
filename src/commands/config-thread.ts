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

interface Task {
	readonly message: TaskMessage;
	done(output: unknown): void;
	fail(error: Error): void;
}

/**
 * Reads configurations beside the event loop: the YAML of a thousand targets takes a second, in which no call would be
 * served, and a file that was damaged may take anything. One task after the other, so that none suffers from another;
 * the thread is there only while there is something to read.
 */
export class ConfigThread {
	private readonly options: ConfigThreadOptions;
	private worker: Worker | null = null;
	private readonly queue: Task[] = [];
	private current: Task | null = null;
	/** When the task under way, or without one the idle thread, is ended. */
	private timer: NodeJS.Timeout | undefined;
	private closed = false;

	constructor(options: ConfigThreadOptions) {
		this.options = options;
	}

	/** Does a task. Rejects when it fails, takes too long or too much memory (1 GiB), or when the thread is closed. */
	run<Kind extends keyof ConfigTasks>(
		kind: Kind,
		input: ConfigTasks[Kind]['takes'],
	): Promise<ConfigTasks[Kind]['gives']> {
		return new Promise((resolve, reject) => {
			if (this.closed) return reject(closedError());
			// The worker gives for each kind what the table says.
			const done = (output: unknown) => resolve(output as ConfigTasks[Kind]['gives']);
			this.queue.push({ message: { kind, input }, done, fail: reject });
			if (this.current === null) this.next();
		});
	}

	/** Ends the thread for good; what waits for it fails. */
	close(): void {
		this.closed = true;
		const waiting = this.queue.splice(0);
		this.discard();
		for (const one of [this.current, ...waiting]) one?.fail(closedError());
		this.current = null;
	}

	private next(): void {
		clearTimeout(this.timer);
		for (let task = this.queue.shift(); task !== undefined; task = this.queue.shift()) {
			try {
				const worker = this.start();
				worker.postMessage(task.message);
				this.begin(task, worker);
				return;
			} catch (error) {
				// No thread can be had, or the input is nothing that can be sent to one.
				task.fail(error instanceof Error ? error : new Error(String(error)));
			}
		}
		// Neither keeps a process that wants to end.
		this.worker?.unref();
		this.timer = setTimeout(() => this.discard(), this.options.idleMs ?? 2000).unref();
	}

	private begin(task: Task, worker: Worker): void {
		const { timeoutMs = 60_000 } = this.options;
		this.current = task;
		worker.ref();
		this.timer = setTimeout(() => this.broke(worker, tooLong(timeoutMs)), timeoutMs);
	}

	private start(): Worker {
		if (this.worker === null) {
			const worker = new Worker(this.options.entry, { resourceLimits: { maxOldGenerationSizeMb: 1024 } });
			worker.on('message', (answer: TaskAnswer) => this.answered(worker, answer));
			worker.on('messageerror', (error) => this.broke(worker, error));
			worker.on('error', (error) => this.broke(worker, error));
			worker.on('exit', () => this.broke(worker, new Error('the thread has ended')));
			this.worker = worker;
		}
		return this.worker;
	}

	private answered(worker: Worker, answer: TaskAnswer): void {
		const { current } = this;
		if (current === null || worker !== this.worker) return;
		this.current = null;
		if ('fault' in answer) current.fail(new Error(answer.fault));
		else current.done(answer.output);
		this.next();
	}

	/** Ends a thread whose task has gone wrong; the next task gets another one. */
	private broke(worker: Worker, error: Error): void {
		if (worker !== this.worker) return;
		const { current } = this;
		this.discard();
		this.current = null;
		current?.fail(error);
		this.next();
	}

	private discard(): void {
		clearTimeout(this.timer);
		const { worker } = this;
		this.worker = null;
		void worker?.terminate();
	}
}

function tooLong(ms: number): Error {
	return Object.assign(new Error(`it took longer than ${ms / 1000} s`), { code: 'ETIMEDOUT' });
}

function closedError(): Error {
	return new Error('the gateway is stopping');
}
