import type { LoadResult } from '../config/load.ts';
import { type ReadResult, readConfigSource } from '../config/read.ts';
import type { ConfigFile } from '../runtime/reload.ts';
import { ConfigThread } from './config-thread.ts';

/** The configuration file of a gateway that runs, read in a thread of its own. */
export class FileInThread implements ConfigFile {
	readonly path: string;
	private readonly thread: ConfigThread;

	constructor(path: string, thread = new ConfigThread({ entry: new URL('./config-worker.js', import.meta.url) })) {
		this.path = path;
		this.thread = thread;
	}

	read(): Promise<ReadResult> {
		return readConfigSource({ kind: 'file', path: this.path, again: true });
	}

	/** A text that cannot be read to its end is one with a problem: the configuration that runs stays. */
	async check(text: string): Promise<LoadResult> {
		try {
			return await this.thread.run('load', { name: this.path, text });
		} catch (fault) {
			const message = `the text could not be read: ${fault instanceof Error ? fault.message : String(fault)}`;
			const remedy = 'is it the right file?';
			return { ok: false, problems: [{ file: this.path, line: 0, column: 0, path: '', message, remedy }] };
		}
	}

	edit(text: string, document: unknown): Promise<string> {
		return this.thread.run('edit', { text, document });
	}

	movedSecrets(next: string, now: string, asText: boolean): Promise<string[]> {
		return this.thread.run('movedSecrets', { next, now, asText });
	}

	close(): void {
		this.thread.close();
	}
}
