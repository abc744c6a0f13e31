import { randomBytes } from 'node:crypto';
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces a file as a whole: whoever reads it, at any time and after any crash, finds the old text or the new one. A
 * symbolic link stays, and the file that it leads to is replaced; mode and, where that is allowed, owner stay.
 * Throws what the file system throws, with nothing left behind.
 */
export async function writeFileWhole(path: string, text: string): Promise<void> {
	const real = await realpath(path);
	const { mode, uid, gid } = await stat(real);
	const temporary = join(dirname(real), `.${basename(real)}.${randomBytes(6).toString('hex')}.tmp`);
	try {
		// Nobody else may read it before it has the mode of the file: secrets may stand in it.
		const file = await open(temporary, 'wx', 0o600);
		try {
			await file.writeFile(text);
			await file.chown(uid, gid).catch(() => {});
			await file.chmod(mode & 0o7777);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(temporary, real);
	} catch (error) {
		await unlink(temporary).catch(() => {});
		throw error;
	}
	await syncFolder(dirname(real));
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
