import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Why a command could not be started and what helps, for a person to read. `error` is what `spawn` gave or threw. */
export function startFailure(
	{ command, cwd }: { readonly command: string; readonly cwd?: string },
	error: NodeJS.ErrnoException,
): { reason: string; remedy: string } {
	const known = failures[error.code ?? ''];
	// The system names the command where it means the folder.
	if (cwd !== undefined && !isFolder(cwd)) {
		return { reason: `there is no folder \`${cwd}\` to run in`, remedy: 'Make the folder, or correct cwd.' };
	}
	if (error.code === 'ENOENT' && command.includes('/') && existsSync(resolve(cwd ?? '', command))) {
		return {
			reason: `command \`${command}\` exists, but the interpreter that its first line names was not found`,
			remedy: 'Install the interpreter, or correct the first line of the file.',
		};
	}
	if (known !== undefined) return { reason: `command \`${command}\` ${known.reason}`, remedy: known.remedy };
	return {
		reason: `command \`${command}\` could not be started: ${error.message}`,
		remedy: 'Run the command by hand to see more.',
	};
}

function isFolder(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** `posix_spawn` and `execve` errors; whatever else they give is shown as it is. */
const failures: Readonly<Record<string, { reason: string; remedy: string }>> = {
	ENOENT: { reason: 'was not found', remedy: 'Install it, or change the command or the PATH.' },
	EACCES: { reason: 'may not be executed', remedy: 'Make the file executable (chmod +x), or change the command.' },
	ENOTDIR: { reason: 'was not found: a part of its path is a file', remedy: 'Correct the path of the command.' },
	E2BIG: { reason: 'has too long arguments or too large an environment', remedy: 'Shorten args and env.' },
	EAGAIN: { reason: 'could not be started: too many processes', remedy: 'Raise the limit of processes (ulimit -u).' },
	EMFILE: { reason: 'could not be started: too many open files', remedy: 'Raise the limit of open files (ulimit -n).' },
	ENFILE: {
		reason: 'could not be started: too many open files',
		remedy: 'Raise the limit of the system (fs.file-max).',
	},
	ENOMEM: { reason: 'could not be started: not enough memory', remedy: 'Free memory, or raise the memory limit.' },
};
