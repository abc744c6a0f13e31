import { type ChildProcess, spawn } from 'node:child_process';
import { LineSplitter } from '../lib/line-splitter.ts';
import { StderrRing } from './stderr-ring.ts';

/** What to start. */
export interface ChildSpec {
	readonly command: string;
	readonly args: readonly string[];
	/** The whole environment. */
	readonly env: Readonly<Record<string, string>>;
}

/** What a child's owner hears. `ended` comes last, exactly once, also when the child could not be started. */
export interface ChildEvents {
	/** A line of stdout, without its line break. */
	line(line: Buffer): void;
	/** A line of stderr. */
	stderr(line: string): void;
	ended(end: ChildEnd): void;
}

/** How a child ended, for a person to read. */
export interface ChildEnd {
	readonly reason: string;
	readonly remedy: string;
	readonly exitCode: number | null;
	readonly signal: string | null;
	/** Last stderr lines, oldest first. */
	readonly stderr: readonly string[];
}

/** Longer lines of stdout end the child: no MCP message is that large, and memory is finite. */
const maximumLineBytes = 16 * 1024 * 1024;
/** A child that does not read its stdin may let this much pile up. */
const maximumUnreadBytes = 8 * 1024 * 1024;
const stderrCharacters = 256 * 1024;
const patienceMs = 2000;

/** One child process, leader of its own process group. Its end is the end of the whole group. */
export class Child {
	private readonly process: ChildProcess;
	private readonly events: ChildEvents;
	private readonly command: string;
	private readonly stderr: StderrRing;
	private readonly lines: LineSplitter;
	private readonly gone: Promise<void>;
	private reportGone: () => void = () => {};
	private stopping = false;
	private over = false;
	/** Why the gateway itself ended the child. */
	private ownReason: string | null = null;

	constructor(spec: ChildSpec, events: ChildEvents) {
		this.events = events;
		this.command = spec.command;
		this.stderr = new StderrRing(stderrCharacters, (line) => events.stderr(line));
		this.lines = new LineSplitter(maximumLineBytes, (line) => {
			if (!this.over) events.line(line);
		});
		this.gone = new Promise((resolve) => {
			this.reportGone = resolve;
		});
		this.process = spawn(spec.command, [...spec.args], { env: spec.env, detached: true, stdio: 'pipe' });
		this.process.on('error', (error: NodeJS.ErrnoException) => this.notStarted(error));
		// 'close' would wait for grandchildren that hold the pipes; the leader's exit is what counts.
		this.process.on('exit', (code, signal) => this.exited(code, signal));
		this.process.stdout?.on('data', (chunk: Buffer) => this.read(chunk));
		this.process.stderr?.on('data', (chunk: Buffer) => this.stderr.push(chunk));
		// A child that closes its stdin or dies shows in 'exit'; the failed write adds nothing.
		this.process.stdin?.on('error', () => {});
	}

	/** null when it could not be started. */
	get pid(): number | null {
		return this.process.pid ?? null;
	}

	/** Writes bytes to stdin. What a child that has ended does not read is dropped. */
	write(bytes: Buffer): void {
		const stdin = this.process.stdin;
		if (this.over || this.stopping || stdin === null || !stdin.writable) return;
		stdin.write(bytes);
		if (stdin.writableLength > maximumUnreadBytes) this.endBecause('it does not read what it is sent');
	}

	/** Closes stdin, then SIGTERM to the group after 2 s, then SIGKILL. Resolves when the group is gone. */
	stop(): Promise<void> {
		if (this.stopping) return this.gone;
		this.stopping = true;
		if (this.over) return this.gone;
		this.process.stdin?.end();
		const term = setTimeout(() => this.signal('SIGTERM'), patienceMs);
		const kill = setTimeout(() => this.signal('SIGKILL'), 2 * patienceMs);
		return this.gone.finally(() => {
			clearTimeout(term);
			clearTimeout(kill);
		});
	}

	/** Resolves when nobody of the group is left. */
	whenGone(): Promise<void> {
		return this.gone;
	}

	/** The last `count` lines of stderr. */
	lastStderr(count: number): string[] {
		return this.stderr.last(count);
	}

	private read(chunk: Buffer): void {
		const fault = this.lines.push(chunk);
		if (fault !== null) this.endBecause(`it wrote a line of more than ${fault.limit} bytes`);
	}

	private endBecause(reason: string): void {
		if (this.ownReason !== null) return;
		this.ownReason = reason;
		this.process.stdout?.destroy();
		this.signal('SIGKILL');
	}

	/** False when nobody of the group is left. Signal 0 only asks. */
	private signal(signal: NodeJS.Signals | 0): boolean {
		const { pid } = this.process;
		if (pid === undefined) return false;
		try {
			return process.kill(-pid, signal);
		} catch {
			// ESRCH: nobody of the group is left, which is what was wanted.
			return false;
		}
	}

	private notStarted(error: NodeJS.ErrnoException): void {
		if (this.process.pid !== undefined) return;
		this.settle({ ...startFailure(this.command, error), exitCode: null, signal: null, stderr: [] });
		this.reportGone();
	}

	private exited(code: number | null, signal: NodeJS.Signals | null): void {
		// What the child wrote last may still be in the pipes.
		setTimeout(() => {
			this.lines.end();
			const reason = this.ownReason ?? (signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`);
			this.settle({ reason, remedy: '', exitCode: code, signal, stderr: this.stderr.last(50) });
			this.process.stdout?.destroy();
			this.process.stderr?.destroy();
		}, settleMs);
		void this.endGroup().then(this.reportGone);
	}

	/** Ends whoever is left of the group when its leader has gone. */
	private async endGroup(): Promise<void> {
		if (!this.signal('SIGTERM')) return;
		for (let waited = 0; waited < patienceMs; waited += pollMs) {
			await new Promise((resolve) => setTimeout(resolve, pollMs));
			if (!this.signal(0)) return;
		}
		this.signal('SIGKILL');
	}

	private settle(end: ChildEnd): void {
		if (this.over) return;
		this.over = true;
		this.events.ended(end);
	}
}

const settleMs = 20;
const pollMs = 50;

function startFailure(command: string, error: NodeJS.ErrnoException): { reason: string; remedy: string } {
	if (error.code === 'ENOENT') {
		return { reason: `command \`${command}\` was not found`, remedy: 'Install it, or change the command or the PATH.' };
	}
	if (error.code === 'EACCES') {
		return {
			reason: `command \`${command}\` may not be executed`,
			remedy: 'Make the file executable (chmod +x), or change the command.',
		};
	}
	return { reason: `command \`${command}\` could not be started: ${error.message}`, remedy: '' };
}
