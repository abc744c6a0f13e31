import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { LineSplitter } from '../lib/line-splitter.ts';
import { ProcessGroup } from './group.ts';
import { startFailure } from './start-failure.ts';
import type { StartRefusal } from './start-refusal.ts';
import { StderrLines } from './stderr-lines.ts';
import type { StderrRing } from './stderr-ring.ts';

/** What to start. */
export interface ChildSpec {
	readonly command: string;
	readonly args: readonly string[];
	/** The whole environment. */
	readonly env: Readonly<Record<string, string>>;
	/** Folder to run in; absent: the gateway's own. */
	readonly cwd?: string;
	/** Of one line of stdout; default 16 MiB. */
	readonly maximumLineBytes?: number;
}

/** Starts a process as leader of a group of its own, with three pipes. May throw like `spawn`. */
export type Launch = (spec: ChildSpec) => ChildProcess | StartRefusal;

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
	/** As in `StartRefusal`. */
	readonly retryAfter?: number;
}

/** Longer lines of stdout end the child when nothing else is said: memory is finite. */
const maximumLineBytes = 16 * 1024 * 1024;
/** A child that does not read its stdin may let this much pile up. */
const maximumUnreadBytes = 8 * 1024 * 1024;
/** From the end of stdin to SIGTERM. */
const politeMs = 500;
/** From SIGTERM to SIGKILL. */
const patienceMs = 2000;

/** One child process, leader of its own process group. Its end is the end of the whole group. */
export class Child {
	/** null when `spawn` threw. */
	private readonly process: ChildProcess | null;
	private readonly group: ProcessGroup | null;
	private readonly events: ChildEvents;
	private readonly spec: ChildSpec;
	private readonly stderr: StderrRing;
	private readonly stderrLines: StderrLines;
	private readonly lines: LineSplitter;
	private readonly gone: Promise<void>;
	private reportGone: () => void = () => {};
	private stopping = false;
	private over = false;
	/** Runs from the leader's exit until its pipes are empty. */
	private settling: NodeJS.Timeout | null = null;
	private settleBy = 0;
	private quiet = false;
	private exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | null = null;
	/** Why the gateway itself ended the child. */
	private ownReason: string | null = null;

	/** `stderr` keeps the last lines of this and other children. */
	constructor(spec: ChildSpec, events: ChildEvents, stderr: StderrRing, launch: Launch = launchGroup) {
		this.events = events;
		this.spec = spec;
		this.stderr = stderr;
		this.stderrLines = new StderrLines((line) => {
			stderr.keep(this, line);
			events.stderr(line);
		});
		this.lines = new LineSplitter(spec.maximumLineBytes ?? maximumLineBytes, (line) => {
			if (!this.over) events.line(line);
		});
		this.gone = new Promise((resolve) => {
			this.reportGone = resolve;
		});
		this.process = this.begin(spec, launch);
		this.group = this.pid === null ? null : new ProcessGroup(this.pid);
	}

	private begin(spec: ChildSpec, launch: Launch): ChildProcess | null {
		const process = this.launched(launch);
		if (process === null) return null;
		process.on('error', (error: NodeJS.ErrnoException) => {
			if (process.pid === undefined) this.notStarted(startFailure(spec, error));
		});
		process.on('exit', (code, signal) => this.exited(code, signal));
		process.on('close', () => this.settle());
		// Without file descriptors left, there are no pipes.
		const { stdout, stderr } = process;
		stdout?.on('data', (chunk: Buffer) => {
			const began = performance.now();
			this.read(chunk);
			giveWay(stdout, began);
		});
		stdout?.on('end', () => this.mute());
		stderr?.on('data', (chunk: Buffer) => {
			const began = performance.now();
			this.readOn();
			this.stderrLines.push(chunk);
			giveWay(stderr, began);
		});
		process.stdin?.on('error', () => this.deaf());
		return process;
	}

	/** Some causes come as an event and some, such as too long arguments, as an exception. */
	private launched(launch: Launch): ChildProcess | null {
		let refusal: StartRefusal;
		try {
			const launched = launch(this.spec);
			if (!('reason' in launched)) return launched;
			refusal = launched;
		} catch (error) {
			refusal = startFailure(this.spec, error as NodeJS.ErrnoException);
		}
		setImmediate(() => this.notStarted(refusal));
		return null;
	}

	/** null when it could not be started. */
	get pid(): number | null {
		return this.process?.pid ?? null;
	}

	/** The last lines that it has written to stderr, oldest first, also one without an end: a question, say. */
	get lastStderr(): readonly string[] {
		const rest = this.over ? '' : this.stderrLines.rest;
		if (rest === '') return this.stderr.last(this, shownLines);
		return [...this.stderr.last(this, shownLines - 1), rest];
	}

	/** Whether its owner has asked it to end. */
	get isStopping(): boolean {
		return this.stopping;
	}

	/**
	 * Writes bytes to stdin. What a child that has ended does not read is dropped. `left` is called once when they are
	 * kept no longer, read or dropped.
	 */
	write(bytes: Buffer, left: (() => void) | null = null): void {
		const stdin = this.process?.stdin;
		if (this.over || this.stopping || !stdin?.writable) return left?.();
		// Asked before the write: one large message is no proof of anything.
		const unread = stdin.writableLength > maximumUnreadBytes;
		if (unread) this.endBecause('it does not read what it is sent');
		if (unread) left?.();
		else if (left === null) stdin.write(bytes);
		else stdin.write(bytes, () => left());
	}

	/** Closes stdin, SIGTERM to the group after 0.5 s, SIGKILL 2 s later. Resolves when the group is gone. */
	stop(): Promise<void> {
		if (this.stopping) return this.gone;
		this.stopping = true;
		if (this.over) return this.gone;
		this.process?.stdin?.end();
		const term = setTimeout(() => this.group?.signal('SIGTERM'), politeMs);
		const kill = setTimeout(() => this.group?.signal('SIGKILL'), politeMs + patienceMs);
		return this.gone.finally(() => {
			clearTimeout(term);
			clearTimeout(kill);
		});
	}

	/** Resolves when nobody of the group is left. */
	whenGone(): Promise<void> {
		return this.gone;
	}

	private read(chunk: Buffer): void {
		this.readOn();
		const fault = this.lines.push(chunk);
		if (fault !== null) this.endBecause(`it wrote a line of more than ${fault.limit} bytes`);
	}

	private endBecause(reason: string): void {
		if (this.ownReason !== null) return;
		this.ownReason = reason;
		this.process?.stdout?.destroy();
		this.group?.signal('SIGKILL');
	}

	/** It closed its stdin or died; in the second case its exit is about to be reported. */
	private deaf(): void {
		setTimeout(() => {
			if (!this.stopping && this.settling === null && !this.over) this.endBecause('it closed its stdin');
		}, deathMs);
	}

	/** It closed its stdout or died: nobody will be answered any more, but it may be about to end by itself. */
	private mute(): void {
		setTimeout(() => {
			if (this.stopping || this.exit !== null || this.over || this.ownReason !== null) return;
			this.ownReason = 'it closed its stdout';
			this.group?.signal('SIGTERM');
			const kill = setTimeout(() => this.group?.signal('SIGKILL'), patienceMs);
			void this.gone.then(() => clearTimeout(kill));
		}, politeMs);
	}

	private notStarted(refusal: StartRefusal): void {
		this.report({ ...refusal, exitCode: null, signal: null, stderr: [] });
		this.reportGone();
	}

	/**
	 * What the child wrote last may still be in the pipes, so its end waits for theirs. A process that has inherited
	 * the pipes and left the group may hold them open for ever; then a pause in what comes is the end.
	 */
	private exited(code: number | null, signal: NodeJS.Signals | null): void {
		this.exit = { code, signal };
		this.settleBy = performance.now() + patienceMs;
		this.settling = setTimeout(() => this.lookOnce(), settleMs);
		void (this.group?.end(patienceMs) ?? Promise.resolve()).then(this.reportGone);
	}

	/** After a busy moment timers come before what waits in the pipes, so those are looked at once more. */
	private lookOnce(): void {
		this.quiet = true;
		setImmediate(() => {
			if (this.quiet) this.settle();
		});
	}

	private readOn(): void {
		if (this.settling === null || performance.now() > this.settleBy) return;
		this.quiet = false;
		this.settling.refresh();
	}

	private settle(): void {
		if (this.settling === null || this.exit === null) return;
		clearTimeout(this.settling);
		this.lines.end();
		this.process?.stdout?.destroy();
		this.process?.stderr?.destroy();
		const { code, signal } = this.exit;
		const reason = this.ownReason ?? (signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`);
		if (this.stderrLines.rest !== '') this.stderr.keep(this, this.stderrLines.rest);
		const stderr = this.stderr.last(this, shownLines);
		const remedy =
			stderr.length === 0 ? 'Run the command by hand to see why.' : 'Look at the last lines that it printed.';
		this.report({ reason, remedy, exitCode: code, signal, stderr });
	}

	private report(end: ChildEnd): void {
		if (this.over) return;
		this.over = true;
		this.events.ended(end);
	}
}

const settleMs = 50;
/** Of stderr, for whoever looks why it does not work. */
const shownLines = 50;
/** From the first sign of an end until it is told. */
const deathMs = 100;
/** What one process writes may take so long before the others have their turn. */
const turnMs = 2;

/** Of a flood, libuv reads 2 MiB in one turn. Where a piece of it was work, the next one comes after the others' turn. */
function giveWay(stream: Readable, began: number): void {
	if (performance.now() - began < turnMs || stream.destroyed) return;
	stream.pause();
	setImmediate(() => stream.resume());
}

const launchGroup: Launch = (spec) =>
	spawn(spec.command, [...spec.args], { env: spec.env, cwd: spec.cwd, detached: true, stdio: 'pipe' });
