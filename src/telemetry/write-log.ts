import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Writable } from 'node:stream';

/** Takes finished lines. */
export interface LineWriter {
	write(line: string): void;
	/** Resolves when everything is out, or after `deadline` milliseconds with false. For an orderly end. */
	drain(deadline: number): Promise<boolean>;
	/** Writes what is left at once. For the `exit` event, where nothing can wait. */
	flush(): void;
	/** Lines thrown away because they could not be written. */
	readonly dropped: number;
}

/** A stream of node, with its descriptor and what it is made of, if it has any. */
type LogStream = Writable & {
	readonly fd?: number;
	readonly _handle?: { setBlocking?(blocking: boolean): void } | null;
};

/** More than so many characters are not kept for a reader that has stopped. */
const maximumPending = 8 * 1024 * 1024;
/** Under load, lines of so many milliseconds go out together. */
const batchMs = 20;
/** As many go out at once: a pipe holds 64 KiB, and whoever writes more waits for its reader. */
const batchCharacters = 32 * 1024;

/**
 * Writes lines to `process.stdout` or a stream like it without ever waiting for the reader. The first line after a
 * pause goes out in the same turn of the loop, those that follow closely are gathered: a write costs more than ten
 * lines. One write is under way at a time. When nobody reads, lines are counted and dropped; when the reader has gone
 * (`command | head`), the log falls silent and the gateway goes on.
 *
 * Not `fs.write`: a thread of the pool that hangs in a full pipe keeps the process from ending (measured on Node 20).
 */
export class StreamWriter implements LineWriter {
	dropped = 0;
	private readonly stream: LogStream;
	private readonly notice: (dropped: number) => string;
	/** The descriptor when it is a file: never slow, but its disk may be full for a while, which ends a stream for good. */
	private readonly file: number | null;
	private readonly terminal: boolean;
	private pending: string[] = [];
	private pendingSize = 0;
	private busy = false;
	private scheduled = false;
	private lastWrite = Number.NEGATIVE_INFINITY;
	private broken = false;
	private unreported = 0;
	private idle: (() => void)[] = [];

	/** `notice` makes the line that tells how many lines were dropped. */
	constructor(stream: LogStream, notice: (dropped: number) => string = textNotice) {
		this.stream = stream;
		this.notice = notice;
		this.file = stream.fd !== undefined && isFile(stream.fd) ? stream.fd : null;
		this.terminal = stream.fd !== undefined && isatty(stream.fd);
		// Node waits for terminals, and one that is held (Ctrl-S, a stalled connection) would stop everything.
		if (this.terminal) stream._handle?.setBlocking?.(false);
		stream.on('error', () => this.fallSilent());
	}

	write(line: string): void {
		if (this.broken) return;
		if (this.pendingSize + line.length > maximumPending) {
			this.dropped++;
			this.unreported++;
			return;
		}
		this.pending.push(line);
		this.pendingSize += line.length;
		if (this.busy) return;
		if (this.pendingSize > batchCharacters) this.begin();
		else if (!this.scheduled) this.schedule();
	}

	drain(deadline: number): Promise<boolean> {
		this.begin();
		if (!this.busy) return Promise.resolve(true);
		return new Promise((resolve) => {
			const timer = setTimeout(() => resolve(false), deadline);
			this.idle.push(() => {
				clearTimeout(timer);
				resolve(true);
			});
		});
	}

	flush(): void {
		// A terminal that has not taken the last lines would hold up the end.
		if (this.terminal && this.busy) return;
		const text = this.takePending();
		if (text === '' || this.broken) return;
		if (this.stream.fd === undefined) this.stream.write(text);
		else writeWhole(this.stream.fd, Buffer.from(text));
	}

	private schedule(): void {
		this.scheduled = true;
		if (performance.now() - this.lastWrite > batchMs) setImmediate(() => this.begin());
		else setTimeout(() => this.begin(), batchMs);
	}

	private begin(): void {
		this.scheduled = false;
		if (this.busy || this.broken || this.pending.length === 0) return;
		this.lastWrite = performance.now();
		if (this.file !== null) return this.writeFile(this.file);
		this.busy = true;
		this.stream.write(this.takePending(), (error) => (error ? this.fallSilent() : this.written()));
	}

	private writeFile(fd: number): void {
		const { unreported } = this;
		const lines = this.pending.length;
		if (writeWhole(fd, Buffer.from(this.takePending()))) return;
		this.dropped += lines;
		this.unreported = unreported + lines;
	}

	private written(): void {
		this.busy = false;
		if (this.pending.length > 0) this.schedule();
		else this.wake();
	}

	private fallSilent(): void {
		this.broken = true;
		this.busy = false;
		this.takePending();
		this.wake();
	}

	private wake(): void {
		const waiting = this.idle;
		this.idle = [];
		for (const resolve of waiting) resolve();
	}

	private takePending(): string {
		let text = this.pending.join('');
		this.pending = [];
		this.pendingSize = 0;
		if (this.unreported > 0) {
			text += this.notice(this.unreported);
			this.unreported = 0;
		}
		return text;
	}
}

function textNotice(dropped: number): string {
	return `${dropped} log lines were dropped because they could not be written\n`;
}

/** Whether writing needs no reader. Terminals do: they may be slow. */
function isFile(fd: number): boolean {
	try {
		const kind = fstatSync(fd);
		return kind.isFile() || (kind.isCharacterDevice() && !isatty(fd));
	} catch {
		return false;
	}
}

/** Gives a slow reader at most a fifth of a second in all, as the process may be about to end; false when not everything could be written. */
function writeWhole(fd: number, bytes: Buffer): boolean {
	let at = 0;
	for (let tries = 0; at < bytes.length && tries < 10; ) {
		try {
			at += writeSync(fd, bytes, at);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
			tries++;
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
		}
	}
	return at === bytes.length;
}
