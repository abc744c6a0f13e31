import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Why a process cannot run in a folder and what helps, for a person to read. */
export interface FolderFault {
	readonly message: string;
	/** Begins in lower case, without a full stop. */
	readonly remedy: string;
}

/** What is wrong with the folder that a process is to run in; null: nothing. */
export function folderFault(cwd: string): FolderFault | null {
	const folder = resolve(cwd);
	const fault = faultOf(folder);
	if (fault === null) return null;
	return { message: `the folder \`${folder}\` of \`cwd\` ${fault[0]}`, remedy: `${fault[1]}, or correct cwd` };
}

function faultOf(folder: string): readonly [message: string, remedy: string] | null {
	try {
		if (!statSync(folder).isDirectory()) return ['is no folder', 'remove the file'];
		accessSync(folder, constants.X_OK);
		return null;
	} catch (error) {
		switch ((error as NodeJS.ErrnoException).code) {
			case 'ENOENT':
				return ['does not exist', 'make the folder'];
			case 'ENOTDIR':
				return ['does not exist: a part of its path is a file', 'make the folder'];
			case 'EACCES':
				return ['may not be entered', 'let the user of the gateway enter it (chmod +x)'];
			default:
				return [`cannot be used: ${(error as Error).message}`, 'make it usable'];
		}
	}
}
