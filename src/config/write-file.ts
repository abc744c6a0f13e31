import { randomBytes } from 'node:crypto';
import { renameSync, realpathSync, statSync } from 'node:fs';
import { open, realpath, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { lockedOut } from './file-owner.ts';

/**
 * `changed`: it is not what it was any more. `lockedOut`: its owner or its group could not use the new one as they could the
 * old one. Then it was left alone.
 */
export type Replaced = 'replaced' | 'changed' | { readonly lockedOut: 'owner' | 'group' };

/**
 * Replaces a file as a whole: whoever reads it, at any time and after any crash, finds the old text or the new one. A
 * symbolic link stays, and the file that it leads to is replaced; mode, owner and group stay, as far as that is allowed. `same` is
 * asked when all is ready whether the file still says what the new text was made of; what somebody else writes after that
 * stays, too, apart from what he writes between two system calls.
 * Throws what the file system throws, with nothing left behind.
 */
export async function writeFileWhole(
	path: string,
	text: string | Buffer,
	same: () => Promise<boolean>,
): Promise<Replaced> {
	const real = await realpath(path);
	const stamp = stampOf(real);
	const old = await stat(real);
	const temporary = join(dirname(real), `.${basename(real)}.${randomBytes(6).toString('hex')}.tmp`);
	let replaced = false;
	try {
		// Nobody else may read it before it has the mode of the file: secrets may stand in it.
		const file = await open(temporary, 'wx', 0o600);
		try {
			await file.writeFile(text);
			// Only root may give a file away; to a group, who is in it.
			await file.chown(old.uid, old.gid).catch(() => file.chown(-1, old.gid).catch(() => {}));
			await file.chmod(old.mode & 0o7777);
			const out = await lockedOut(old, await file.stat());
			if (out !== null) return { lockedOut: out };
			await file.sync();
		} finally {
			await file.close();
		}
		if (!(await same())) return 'changed';
		// At once, not when a thread is free for it: the less lies between them the better.
		if (realpathSync(path) !== real || stampOf(real) !== stamp) return 'changed';
		renameSync(temporary, real);
		replaced = true;
	} finally {
		if (!replaced) await unlink(temporary).catch(() => {});
	}
	await syncFolder(dirname(real));
	return 'replaced';
}

/** Another one when anybody has written the file, or put another in its place. */
function stampOf(path: string): string {
	const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
	return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** The new name must outlast a crash, too; some file systems do not know how. */
async function syncFolder(path: string): Promise<void> {
	try {
		const folder = await open(path, 'r');
		try {
			await folder.sync();
		} finally {
			await folder.close();
		}
	} catch {
		// The file is whole in any case.
	}
}
