import { statSync } from 'node:fs';

/** Whether a path leads to a file that is no folder, pipe or device. */
export function isFile(path: string): boolean {
	try {
		return statSync(path).isFile();
	} catch {
		return false;
	}
}
