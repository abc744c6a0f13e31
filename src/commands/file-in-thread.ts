import type { LoadResult } from '../config/load.ts';
import { type ReadResult, readConfigSource } from '../config/read.ts';
import type { ConfigFile, Edited } from '../runtime/reload.ts';
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

	check(text: string): Promise<LoadResult> {
		return this.thread.run('load', { name: this.path, text });
	}

	edit(text: string, document: unknown): Promise<Edited> {
		return this.thread.run('edit', { text, document });
	}

	movedSecrets(next: string, now: string, asText: boolean): Promise<string[]> {
		return this.thread.run('movedSecrets', { next, now, asText });
	}

	close(): void {
		this.thread.close();
	}
}
