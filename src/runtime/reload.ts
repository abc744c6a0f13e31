import { isDeepStrictEqual } from 'node:util';
import type { ConfigView } from '../admin/state.ts';
import type { Problem, Settings } from '../config/ir.ts';
import type { LoadResult } from '../config/load.ts';
import type { ReadResult } from '../config/read.ts';
import { isPassingFault } from '../lib/passing-fault.ts';
import type { Logger } from '../telemetry/log.ts';
import { FileWatch } from './file-watch.ts';
import { startSettings } from './start-settings.ts';

/** A file that holds the configuration. What takes long is done elsewhere, so that nobody has to wait for it. */
export interface ConfigFile {
	readonly path: string;
	/** Reads its text. */
	read(): Promise<ReadResult>;
	/** Checks a text as if it stood there. Rejects when that could not be done to its end. */
	check(text: string): Promise<LoadResult>;
	/** A text of it with a document merged in; comments and layout stay. */
	edit(text: string, document: unknown): Promise<Edited>;
	/** Where a new text uses a variable or a secret elsewhere than the present one does (`moved-secrets.ts`). */
	movedSecrets(next: string, now: string, asText: boolean): Promise<string[]>;
	/** Ends what is under way; what waits for it fails. */
	close(): void;
}

/** Refused: the text would be too large to be read, or it is no YAML before its variables are expanded. */
export type Edited = { readonly text: string } | { readonly refused: 'too large' | 'no YAML' };

export interface ReloadOptions {
	readonly file: ConfigFile;
	/** What the gateway has started with. */
	readonly started: Settings;
	readonly text: string;
	readonly references: readonly string[];
	readonly logger: Logger;
	/** Goes over to another configuration, wholly or, with what is wrong, not at all. */
	apply(read: LoadResult & { ok: true }): Promise<readonly Problem[]>;
	show(view: ConfigView): void;
}

/**
 * Reads the file again when it changes, or when somebody asks for it, and goes over to what stands there. What a fault of
 * the machine has kept from being read is tried again until it was read.
 */
export class Reload {
	private readonly options: ReloadOptions;
	private readonly watch: FileWatch;
	private applied: string;
	/** Further files that what is in effect was made from. */
	private references: readonly string[];
	private view: ConfigView;
	private running: Promise<void> = Promise.resolve();
	private next: Promise<ConfigView> | null = null;
	private ended = false;
	private retry: NodeJS.Timeout | undefined;
	/** Before the next try. */
	private pauseMs = firstPauseMs;

	constructor(options: ReloadOptions) {
		const { file, text, references } = options;
		this.options = options;
		this.applied = text;
		this.references = references;
		this.view = { synchronized: true, since: new Date().toISOString(), errors: [], needsRestart: [] };
		this.watch = new FileWatch([file.path, ...references], () => void this.reload('the file has changed'));
	}

	async start(): Promise<void> {
		await this.watch.start();
		// It may have changed since it was read for the start.
		await this.reload('the gateway has started');
	}

	/** Whether nothing comes into effect any more. */
	get stopped(): boolean {
		return this.ended;
	}

	/** Whether this text is what is in effect. */
	hasApplied(text: string): boolean {
		return this.applied === text;
	}

	/** Reads no more; resolves when what is under way is over. */
	async stop(): Promise<void> {
		this.ended = true;
		this.watch.stop();
		clearTimeout(this.retry);
		this.options.file.close();
		await this.running;
	}

	/** Reads the file. Who asks while it is being read gets a reading of his own after that, all of them together. */
	reload(why: string): Promise<ConfigView> {
		if (this.next !== null) return this.next;
		const next = this.running.then(() => {
			this.next = null;
			return this.ended ? this.view : this.read(why);
		});
		this.next = next;
		this.running = next.then(
			() => {},
			() => {},
		);
		return next;
	}

	private async read(why: string): Promise<ConfigView> {
		const { file, started, logger } = this.options;
		clearTimeout(this.retry);
		if (why !== tryingAgain) this.pauseMs = firstPauseMs;
		const began = performance.now();
		const found = await file.read();
		if (this.ended) return this.view;
		if (!found.ok) return found.passing === true ? this.failedFor(began, found.problems) : this.failed(found.problems);
		const { text } = found.source;
		if (text === this.applied && this.view.synchronized && this.references.length === 0) {
			logger.debug('the file says what is in effect already', { reason: why });
			return this.view;
		}
		const read = await this.check(text);
		if (this.ended) return this.view;
		if (!read.ok && read.passing === true) return this.failedFor(began, read.problems);
		const problems = read.ok ? await this.apply(read) : read.problems;
		if (!read.ok || problems.length > 0) return this.failed(problems);
		this.applied = text;
		this.references = read.references;
		await this.watch.follow([file.path, ...read.references]);
		const needsRestart = startSettings(started, read.config.settings);
		logger.info(`loaded config from ${file.path}`, { reason: why });
		for (const { line, path, message, remedy } of read.config.warnings)
			logger.warn(`${file.path}:${line}: ${path === '' ? '' : `${path}: `}${message}`, { remedy: remedy || undefined });
		if (needsRestart.length > 0)
			logger.warn(`changed settings need a restart: ${needsRestart.join(', ')}`, { remedy: 'the rest is in effect' });
		return this.show({ synchronized: true, errors: [], needsRestart });
	}

	/** A text that is not read to its end is one with a problem. */
	private async check(text: string): Promise<LoadResult & { passing?: boolean }> {
		const { file } = this.options;
		try {
			return await file.check(text);
		} catch (fault) {
			const message = `it could not be read to its end: ${fault instanceof Error ? fault.message : String(fault)}`;
			const passing = isPassingFault(fault);
			const remedy = passing ? '' : 'if it is the right file, write it again, or send SIGHUP';
			return { ok: false, problems: [{ file: file.path, line: 0, column: 0, path: '', message, remedy }], passing };
		}
	}

	private async apply(read: LoadResult & { ok: true }): Promise<readonly Problem[]> {
		try {
			return await this.options.apply(read);
		} catch (fault) {
			// A bug must not end what runs.
			const { file, logger } = this.options;
			logger.error('internal error', {
				error: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault),
			});
			return [{ file: file.path, line: 0, column: 0, path: '', message: 'an internal error; see the log', remedy: '' }];
		}
	}

	/** Tries again after a while: a machine that has run short is not to be kept busy, nor one for which a file is too much. */
	private failedFor(began: number, problems: readonly Problem[]): ConfigView {
		const pauseMs = Math.max(this.pauseMs, performance.now() - began);
		this.pauseMs = Math.min(2 * this.pauseMs, maximumPauseMs);
		this.retry = setTimeout(() => void this.reload(tryingAgain), pauseMs).unref();
		const told = problems.map((problem) => ({
			...problem,
			remedy: problem.remedy || 'it is tried again until it can be',
		}));
		// Told once.
		return isDeepStrictEqual(told, this.view.errors) ? this.view : this.failed(told);
	}

	private failed(problems: readonly Problem[]): ConfigView {
		const { logger } = this.options;
		for (const { file, line, column, path, message, remedy } of problems.slice(0, maximumShown)) {
			const place = line === 0 ? file : `${file}:${line}:${column}`;
			logger.error(`Failed to reload config: ${place}: ${path === '' ? '' : `${path}: `}${message}`, {
				remedy: remedy || undefined,
			});
		}
		const more = problems.length - maximumShown;
		if (more > 0) logger.error(`Failed to reload config: … and ${more} more`);
		logger.warn('the configuration that was read before stays in effect');
		const errors = problems.slice(0, maximumShown).map((problem) => ({ ...problem }));
		return this.show({ synchronized: false, errors, needsRestart: this.view.needsRestart });
	}

	private show(view: Omit<ConfigView, 'since'>): ConfigView {
		this.view = { ...view, since: new Date().toISOString() };
		this.options.show(this.view);
		return this.view;
	}
}

const maximumShown = 100;

const tryingAgain = 'it is tried again';
const firstPauseMs = 1000;
const maximumPauseMs = 30_000;
