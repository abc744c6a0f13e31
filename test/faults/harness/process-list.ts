import { readdirSync, readFileSync } from 'node:fs';

/** A process as /proc shows it. */
export interface ListedProcess {
	pid: number;
	/** The command line, its arguments parted by spaces. */
	command: string;
}

/**
 * All living processes whose environment contains the text `NAME=value`, zombies left out. Children inherit the
 * environment, so a mark given to a gateway finds whatever was started below it, wherever it has gone since.
 */
export function markedProcesses(mark: string): ListedProcess[] {
	const wanted = Buffer.from(`${mark}\0`);
	const found: ListedProcess[] = [];
	for (const name of readdirSync('/proc')) {
		if (!/^\d+$/.test(name)) continue;
		try {
			if (!readFileSync(`/proc/${name}/environ`).includes(wanted)) continue;
			const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
			// One that is dead and waits for its parent has no command line any more.
			if (command !== '') found.push({ pid: Number(name), command });
		} catch {
			// It has ended since, or is not ours to read.
		}
	}
	return found;
}
