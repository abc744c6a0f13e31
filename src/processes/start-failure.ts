import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { folderFault } from './folder-fault.ts';
import type { StartRefusal } from './start-refusal.ts';

/** Why a command could not be started and what helps, for a person to read. `error` is what `spawn` gave or threw. */
export function startFailure(
	{ command, cwd }: { readonly command: string; readonly cwd?: string },
	error: NodeJS.ErrnoException,
): StartRefusal {
	const known = failures[error.code ?? ''];
	// The system names the command where it means the folder.
	const folder = cwd === undefined ? null : folderFault(cwd);
	if (folder !== null) return { reason: folder.message, remedy: sentence(folder.remedy) };
	if (error.code === 'ENOENT' && command.includes('/') && existsSync(resolve(cwd ?? '', command))) {
		return {
			reason: `command \`${command}\` exists, but the interpreter that its first line names was not found`,
			remedy: 'Install the interpreter, or correct the first line of the file.',
		};
	}
	if (known !== undefined) {
		const { reason, ...rest } = known;
		return { reason: `command \`${command}\` ${reason}`, ...rest };
	}
	return {
		reason: `command \`${command}\` could not be started: ${error.message}`,
		remedy: 'Run the command by hand to see more.',
	};
}

function sentence(text: string): string {
	return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The machine or the gateway is short of something, which is no fault of the command and may pass soon. */
const short = { retryAfter: 1 } as const;

/** `posix_spawn` and `execve` errors; whatever else they give is shown as it is. */
const failures: Readonly<Record<string, StartRefusal>> = {
	ENOENT: { reason: 'was not found', remedy: 'Install it, or change the command or the PATH.' },
	EACCES: { reason: 'may not be executed', remedy: 'Make the file executable (chmod +x), or change the command.' },
	ENOTDIR: { reason: 'was not found: a part of its path is a file', remedy: 'Correct the path of the command.' },
	E2BIG: { reason: 'has too long arguments or too large an environment', remedy: 'Shorten args and env.' },
	EAGAIN: {
		reason: 'could not be started: too many processes',
		remedy: 'Raise the limit of processes (ulimit -u).',
		...short,
	},
	EMFILE: {
		reason: 'could not be started: too many open files',
		remedy: 'Raise the limit of open files (ulimit -n).',
		...short,
	},
	ENFILE: {
		reason: 'could not be started: too many open files',
		remedy: 'Raise the limit of the system (fs.file-max).',
		...short,
	},
	ENOMEM: {
		reason: 'could not be started: not enough memory',
		remedy: 'Free memory, or raise the memory limit.',
		...short,
	},
};
