import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether a command could be started: a path that is executable, or a name found on the PATH. */
export function commandExists(command: string, path: string | undefined): boolean {
	const folders = command.includes('/') ? [''] : (path ?? '').split(delimiter);
	return folders.some((folder) => isExecutable(folder === '' ? command : join(folder, command)));
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return isFile(path);
	} catch {
		return false;
	}
}

/** Whether a path leads to a file that is no folder, pipe or device. */
export function isFile(path: string): boolean {
	try {
		return statSync(path).isFile();
	} catch {
		return false;
	}
}
