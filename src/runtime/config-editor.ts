import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ConfigWrite, ConfigWritten } from '../admin/config-write.ts';
import type { GatewayConfig, Problem } from '../config/ir.ts';
import type { LoadResult } from '../config/load.ts';
import { readAgain } from '../config/read.ts';
import { writeFileWhole } from '../config/write-file.ts';
import type { ConfigFile, Reload } from './reload.ts';

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
		const before = await this.read();
		if (before === null) return { outcome: 'unwritable', reason: 'the file cannot be read' };
		if (tag !== null && tag !== tagOf(before)) return { outcome: 'stale', tag: tagOf(before) };
		// Secrets are those of the file, which may be newer than what runs.
		const now = await this.file.check(before);
		const whole = write.value(now.ok ? now.document : this.running().document);
		if ('unknown' in whole) return { outcome: 'masked', paths: whole.unknown };
		const text = await this.edited(before, now, whole.value);
		if (text === null) return { outcome: 'invalid', problems: [this.tooLarge()] };
		// Before anything is expanded: errors quote values.
		const secrets = trusted ? [] : await this.file.movedSecrets(text, before, typeof whole.value === 'string');
		if (secrets.length > 0) return { outcome: 'untrusted', commands: [], secrets };
		const checked = await this.file.check(text);
		if (!checked.ok) return { outcome: 'invalid', problems: checked.problems };
		const commands = trusted ? [] : newCommands(this.running().config, checked.config);
		if (commands.length > 0) return { outcome: 'untrusted', commands, secrets: [] };
		if (text !== before) {
			if (this.reload.stopped) return stopping;
			const put = await this.put(text, before);
			// Somebody has edited the file meanwhile; his change stays.
			if (put === 'changed') return this.again(write, tries);
			if (put !== 'replaced') return { outcome: 'unwritable', ...put };
		}
		return this.bringIntoEffect(text, before);
	}

	/** The text is in the file. */
	private async bringIntoEffect(text: string, before: string): Promise<ConfigWritten> {
		const view = await this.reload.reload('written through the admin API');
		const { stopped } = this.reload;
		if (stopped ? this.reload.hasApplied(text) : view.synchronized)
			return { outcome: 'applied', tag: tagOf(text), needsRestart: view.needsRestart };
		// It is well-formed, but cannot come into effect here: a port is taken. What somebody else has written since stays.
		const left = text !== before && typeof (await this.put(before, text)) === 'object';
		if (stopped) return { outcome: 'stopping', written: left };
		await this.reload.reload('the change could not come into effect');
		return { outcome: 'refused', problems: view.errors, written: left };
	}

	/** Somebody changes the file all the time? Then he is to end first. */
	private async again(write: ConfigWrite, tries: number): Promise<ConfigWritten> {
		if (tries < maximumTries) return this.writeNow(write, tries + 1);
		return { outcome: 'stale', tag: tagOf((await this.read()) ?? '') };
	}

	/** The text that says `value`: a text is it, a document is merged into what stands there now. */
	private async edited(before: string, now: LoadResult, value: unknown): Promise<string | null> {
		if (typeof value === 'string') return value;
		return now.ok && isDeepStrictEqual(now.document, value) ? before : this.file.edit(before, value);
	}

	private tooLarge(): Problem {
		const message = 'the text would be larger than 5 MB';
		return { file: this.file.path, line: 0, column: 0, path: '', message, remedy: 'is it the right document?' };
	}

	private async read(): Promise<string | null> {
		try {
			return (await readAgain(this.file.path))?.toString('utf8').replace(/^\ufeff/, '') ?? null;
		} catch {
			return null;
		}
	}

	/** Writes a text where `before` stands. */
	private async put(text: string, before: string): Promise<'replaced' | 'changed' | { reason: string }> {
		try {
			const put = await writeFileWhole(this.file.path, text, async () => (await this.read()) === before);
			return typeof put === 'string' ? put : { reason: lockedOut[put.lockedOut] };
		} catch (error) {
			return { reason: reasonOf(error) };
		}
	}
}

/** Of a write, while the file is another after each. */
const maximumTries = 5;

const stopping = { outcome: 'stopping', written: false } as const;

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
