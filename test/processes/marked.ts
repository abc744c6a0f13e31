import { readdirSync, readFileSync } from 'node:fs';

const variable = 'AGENTGATEWAY_OWNER=';

/** The mark that all children of a gateway carry, read from one of them. Linux only. */
export function markOf(pid: number): string {
	const entry = environment(String(pid)).find((one) => one.startsWith(variable));
	if (entry === undefined) throw new Error(`process ${pid} carries no mark`);
	return entry.slice(0, entry.indexOf('.'));
}

/** Processes that carry a mark, of whatever group they are. */
export function marked(mark: string): number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name) && environment(name).some((one) => one.startsWith(mark)))
		.map(Number);
}

/** The environment that a process was started with; of those that have ended, nothing. */
export function environment(pid: string): string[] {
	try {
		return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
	} catch {
		return [];
	}
}
