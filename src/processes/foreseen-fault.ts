import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { folderFault } from './folder-fault.ts';

/** What is to be started, as a configuration says it. */
export interface Program {
	/** A path, if it has a slash, and else a name to be found on `path`. */
	readonly command: string;
	/** The PATH of the process; undefined: it has none. */
	readonly path: string | undefined;
	/** Folder to run in; null: the gateway's own. */
	readonly cwd: string | null;
}

/** Why a start cannot succeed as things are now, and the key that is to blame. */
export interface ForeseenFault {
	readonly key: 'cmd' | 'cwd';
	readonly message: string;
	readonly remedy: string;
}

/** Where a name is sought without a PATH (glibc, macOS); musl has /usr/local/bin before. */
const pathOfNone = '/bin:/usr/bin';
const until = 'the target stays away until then';

/** Looks whether a program can be started; null: nothing speaks against it. The system decides when it is started. */
export function foreseenFault({ command, path, cwd }: Program): ForeseenFault | null {
	const folder = cwd === null ? null : folderFault(cwd);
	if (folder !== null) return { key: 'cwd', message: folder.message, remedy: `${folder.remedy}; ${until}` };
	const base = cwd ?? '.';
	if (command.includes('/')) return pathFault(command, resolve(base, command));
	// An empty entry is the folder that the process runs in.
	const found = (path ?? pathOfNone).split(delimiter).map((entry) => resolve(base, join(entry, command)));
	if (found.some((file) => stateOf(file) === 'executable')) return null;
	const closed = found.find((file) => stateOf(file) === 'closed');
	if (closed !== undefined) return notExecutable(closed);
	const where = path === undefined ? `on the PATH of a process that has none (${pathOfNone})` : 'on PATH';
	const remedy = `install it, or correct cmd or the PATH; ${until}`;
	return { key: 'cmd', message: `"${command}" was not found ${where}`, remedy };
}

function pathFault(command: string, file: string): ForeseenFault | null {
	const state = stateOf(file);
	if (state === 'executable') return null;
	if (state === 'closed') return notExecutable(file);
	const shown = command === file ? file : `${command} (${file})`;
	const message = state === 'missing' ? `there is no program ${shown}` : `${shown} is no file`;
	return { key: 'cmd', message, remedy: `install it, or correct cmd; ${until}` };
}

function notExecutable(file: string): ForeseenFault {
	const remedy = `make it executable (chmod +x), or write its interpreter as cmd; ${until}`;
	return { key: 'cmd', message: `${file} may not be executed`, remedy };
}

function stateOf(path: string): 'executable' | 'closed' | 'missing' | 'no file' {
	try {
		if (!statSync(path).isFile()) return 'no file';
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'closed' : 'missing';
	}
	try {
		accessSync(path, constants.X_OK);
		return 'executable';
	} catch {
		return 'closed';
	}
}
