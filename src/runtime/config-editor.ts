import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ConfigWrite, ConfigWritten } from '../admin/config-write.ts';
import type { GatewayConfig, Problem } from '../config/ir.ts';
import type { LoadResult } from '../config/load.ts';
import { readAgain, sourceOf, withoutMark } from '../config/read.ts';
import { writeFileWhole } from '../config/write-file.ts';
import type { ConfigFile, Edited, Reload } from './reload.ts';

/** Names a text: two are the same when their tags are. */
export function tagOf(text: string): string {
	return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

/** What is in effect. */
export interface RunningConfig {
	readonly config: GatewayConfig;
	/** As it was written. */
	readonly document: unknown;
}

/** Writes the configuration file for the admin API. What is written comes into effect by being read again, as always. */
export class ConfigEditor {
	private readonly file: ConfigFile;
	private readonly reload: Reload;
	private readonly running: () => RunningConfig;
	private last: Promise<unknown> = Promise.resolve();

	constructor(file: ConfigFile, reload: Reload, running: () => RunningConfig) {
		this.file = file;
		this.reload = reload;
		this.running = running;
	}

	/**
	 * One after the other. Either what is written comes into effect, or nothing changes. Rejects when the present text or
	 * the new one could not be read to its end; then nothing has changed either.
	 */
	write(write: ConfigWrite): Promise<ConfigWritten> {
		const written = this.last.then(() =>
			// What fails because the gateway stops is no fault.
			this.writeNow(write).catch((fault: unknown) => {
				if (this.reload.stopped) return stopping;
				throw fault;
			}),
		);
		this.last = written.catch(() => {});
		return written;
	}

	private async writeNow(write: ConfigWrite, tries = 1): Promise<ConfigWritten> {
		const { tag, trusted } = write;
		const found = await this.read();
		if (found === null) return { outcome: 'unwritable', reason: 'the file cannot be read' };
		const before = withoutMark(found);
		if (tag !== null && tag !== tagOf(before)) return { outcome: 'stale', tag: tagOf(before) };
		// Secrets are those of the file, which may be newer than what runs.
		const source = sourceOf(this.file.path, found);
		const now = source.ok ? await this.file.check(before) : source;
		const whole = write.value(now.ok ? now.document : this.running().document);
		if ('unknown' in whole) return { outcome: 'masked', paths: whole.unknown };
		if (!source.ok && typeof whole.value !== 'string') return { outcome: 'unreadable', problems: source.problems };
		const edited = await this.edited(before, now, whole.value);
		if ('refused' in edited && edited.refused === 'no YAML')
			return { outcome: 'unreadable', problems: now.ok ? [this.problem(...noYaml)] : now.problems };
		if ('refused' in edited) return { outcome: 'invalid', problems: [this.problem(...tooLarge)] };
		const { text } = edited;
		// Before anything is expanded: errors quote values.
		const secrets = trusted ? [] : await this.file.movedSecrets(text, before, typeof whole.value === 'string');
		if (secrets.length > 0) return { outcome: 'untrusted', commands: [], secrets };
		const checked = await this.file.check(text);
		if (!checked.ok) return { outcome: 'invalid', problems: checked.problems };
		const commands = trusted ? [] : newCommands(this.running().config, checked.config);
		if (commands.length > 0) return { outcome: 'untrusted', commands, secrets: [] };
		if (text !== before) {
			if (this.reload.stopped) return stopping;
			const put = await this.put(text, found);
			// Somebody has edited the file meanwhile; his change stays.
			if (put === 'changed') return this.again(write, tries);
			if (put !== 'replaced') return { outcome: 'unwritable', ...put };
		}
		return this.bringIntoEffect(text, text === before ? null : found);
	}

	/** The text is in the file. `before`: what was; null: the same. */
	private async bringIntoEffect(text: string, before: Buffer | null): Promise<ConfigWritten> {
		const view = await this.reload.reload('written through the admin API');
		const { stopped } = this.reload;
		if (stopped ? this.reload.hasApplied(text) : view.synchronized)
			return { outcome: 'applied', tag: tagOf(text), needsRestart: view.needsRestart };
		// It is well-formed, but cannot come into effect here: a port is taken. What somebody else has written since stays.
		const left = before !== null && typeof (await this.put(before, Buffer.from(text))) === 'object';
		if (stopped) return { outcome: 'stopping', written: left };
		await this.reload.reload('the change could not come into effect');
		return { outcome: 'refused', problems: view.errors, written: left };
	}

	/** Somebody changes the file all the time? Then he is to end first. */
	private async again(write: ConfigWrite, tries: number): Promise<ConfigWritten> {
		if (tries < maximumTries) return this.writeNow(write, tries + 1);
		return { outcome: 'stale', tag: tagOf(withoutMark((await this.read()) ?? Buffer.alloc(0))) };
	}

	/** The text that says `value`: a text is it, a document is merged into what stands there now. */
	private async edited(before: string, now: LoadResult, value: unknown): Promise<Edited> {
		if (typeof value === 'string') return { text: value };
		return now.ok && isDeepStrictEqual(now.document, value) ? { text: before } : this.file.edit(before, value);
	}

	private problem(message: string, remedy: string): Problem {
		return { file: this.file.path, line: 0, column: 0, path: '', message, remedy };
	}

	private async read(): Promise<Buffer | null> {
		try {
			return await readAgain(this.file.path);
		} catch {
			return null;
		}
	}

	/** Writes a text where `before` stands. */
	private async put(text: string | Buffer, before: Buffer): Promise<'replaced' | 'changed' | { reason: string }> {
		try {
			const put = await writeFileWhole(this.file.path, text, async () => (await this.read())?.equals(before) === true);
			return typeof put === 'string' ? put : { reason: lockedOut[put.lockedOut] };
		} catch (error) {
			return { reason: reasonOf(error) };
		}
	}
}

/** Of a write, while the file is another after each. */
const maximumTries = 5;

const stopping = { outcome: 'stopping', written: false } as const;

const tooLarge = ['the text would be larger than 5 MB', 'is it the right document?'] as const;

const noYaml = [
	'it is YAML only once its variables are expanded, so that it is not known what of it should stay',
	'quote the variables ("${NAME}")',
] as const;

const lockedOut = {
	owner:
		'its owner could no longer read and write it; run the gateway as that user, or give the file a group that both are in and that may do what its owner may (chgrp, chmod g+rw)',
	group: 'its group could no longer use it; run the gateway as a user of that group, or give the file another one',
} as const;

function reasonOf(error: unknown): string {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	switch (code) {
		case 'EACCES':
		case 'EPERM':
			return 'the gateway may not write to its folder';
		case 'ENOENT':
			return 'it is gone';
		case 'EROFS':
			return 'it is on a read-only file system';
		case 'EBUSY':
		case 'EXDEV':
			return 'it is mounted by itself; mount its folder instead';
		case 'ENOSPC':
		case 'EDQUOT':
			return 'the disk is full';
		default:
			return code === '' ? String(error) : code;
	}
}

/** Commands that the gateway would start and does not start yet. */
function newCommands(running: GatewayConfig, next: GatewayConfig): string[] {
	const known = new Set(commandsOf(running).map(({ facts }) => facts));
	return commandsOf(next)
		.filter(({ facts }) => !known.has(facts))
		.map(({ shown }) => shown);
}

function commandsOf({ binds }: GatewayConfig): { readonly facts: string; readonly shown: string }[] {
	const targets = binds
		.flatMap(({ listeners }) => listeners)
		.flatMap(({ routes }) => routes)
		.flatMap(({ backends }) => backends)
		.flatMap(({ backend }) => backend.targets);
	return targets.flatMap((target) => {
		if (target.kind !== 'stdio') return [];
		const { cmd, args, env, clearEnv, cwd } = target;
		return [{ facts: JSON.stringify([cmd, args, env, clearEnv, cwd]), shown: cmd }];
	});
}
