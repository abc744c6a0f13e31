import { stat } from 'node:fs/promises';

/** Between two looks. A change is told when two looks in a row have seen the same, so after half a second at most. */
const lookMs = 200;

/**
 * Watches files by looking at them, by their names and through symbolic links, five times a second. So everything by which
 * editors, `mv` and Kubernetes change a file is the same case, on network and container file systems too, where nobody
 * is notified; and no limit on watches can be reached. `changed` is called once a change has come to rest: a file that is
 * being written is not read yet. A file that vanishes has changed.
 */
export class FileWatch {
	private readonly changed: () => void;
	private paths: readonly string[];
	private known = '';
	private last = '';
	private timer: NodeJS.Timeout | null = null;
	private stopped = false;

	constructor(paths: readonly string[], changed: () => void) {
		this.paths = paths;
		this.changed = changed;
	}

	/** Resolves when the files have been looked at for the first time: whatever comes after that is a change. */
	async start(): Promise<void> {
		this.known = this.last = await stampOf(this.paths);
		this.wait();
	}

	/** Watches these files from now on; that they are others than before is no change. */
	async follow(paths: readonly string[]): Promise<void> {
		if (paths.join('\n') === this.paths.join('\n')) return;
		const stamp = await stampOf(paths);
		this.paths = paths;
		this.known = this.last = stamp;
	}

	stop(): void {
		this.stopped = true;
		if (this.timer !== null) clearTimeout(this.timer);
	}

	private wait(): void {
		if (this.stopped) return;
		this.timer = setTimeout(() => void this.look(), lookMs);
		this.timer.unref();
	}

	private async look(): Promise<void> {
		const { paths } = this;
		const stamp = await stampOf(paths);
		if (this.stopped) return;
		if (paths === this.paths) {
			const rests = stamp === this.last;
			this.last = stamp;
			if (rests && stamp !== this.known) {
				this.known = stamp;
				this.changed();
			}
		}
		this.wait();
	}
}

async function stampOf(paths: readonly string[]): Promise<string> {
	return (await Promise.all(paths.map(stampOfOne))).join('\n');
}

/** The same for as long as nobody has changed the file, or put another in its place. */
async function stampOfOne(path: string): Promise<string> {
	try {
		const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
		return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
	} catch (error) {
		// ENOENT, ELOOP, EACCES …: the next reading says it better.
		return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
	}
}
