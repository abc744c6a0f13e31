// What a process costs, from the operating system's accounting (Linux).
import { readdirSync, readFileSync } from 'node:fs';

/** Processor time of all threads of a process so far, in microseconds. */
export function processorTime(pid) {
	let nanoseconds = 0;
	for (const task of readdirSync(`/proc/${pid}/task`)) {
		try {
			nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
		} catch {
			// The thread ended between the two calls.
		}
	}
	return nanoseconds / 1000;
}

/** Resident memory of a process, in bytes. */
export function residentMemory(pid) {
	const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
	return Number(found?.[1] ?? 0) * 1024;
}
