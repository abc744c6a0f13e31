// Processes that belong to one run: started, waited for, ended by their own id.
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

export class Child {
	#process;
	#text = '';
	#exited;
	#code;

	constructor(command, args, { env = {}, cwd } = {}) {
		this.#process = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		for (const stream of [this.#process.stdout, this.#process.stderr]) {
			stream.on('data', (chunk) => (this.#text += chunk));
		}
		this.#exited = new Promise((resolve) => {
			this.#process.on('error', (error) => resolve(`cannot start: ${error.message}`));
			this.#process.on('close', (code, signal) => resolve(code ?? signal));
		});
		void this.#exited.then((code) => {
			this.#code = code;
		});
	}

	/** All that it wrote. */
	get text() {
		return this.#text;
	}

	/** Resolves when its output matches; rejects when it ends before, or after 20 s. */
	async waitFor(pattern) {
		const deadline = Date.now() + 20_000;
		for (;;) {
			const found = pattern.exec(this.#text);
			if (found !== null) return found;
			if (this.#code !== undefined) throw new Error(`ended with ${this.#code}:\n${this.#text}`);
			if (Date.now() > deadline) throw new Error(`no ${pattern} in:\n${this.#text}`);
			await delay(20);
		}
	}

	/** Resolves with the exit code, or ends it when it takes longer. */
	async exit(withinMs) {
		const timer = setTimeout(() => this.#process.kill('SIGKILL'), withinMs);
		const code = await this.#exited;
		clearTimeout(timer);
		return code;
	}

	async stop() {
		this.#process.kill('SIGTERM');
		return this.exit(5000);
	}
}
