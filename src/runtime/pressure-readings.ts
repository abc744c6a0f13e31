import { readdirSync, readFileSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { setFlagsFromString, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { residentBytes } from '../lib/resident-bytes.ts';
import type { Readings } from './pressure.ts';

/**
 * Reads how much of everything this process uses. `lateMs` is known to who asks. Never throws: it is when descriptors
 * have run out that somebody has to look.
 */
export function readPressure(limits: PressureLimits, lateMs: number): Readings {
	// `process.memoryUsage()` opens a file for the resident memory.
	const { used_heap_size: heapUsed, external_memory: external } = getHeapStatistics();
	return {
		heapUsed,
		heapLimit: limits.heap,
		resident: residentBytes(),
		inUse: heapUsed + external,
		memoryLimit: limits.memory,
		// Where there is a limit, only the lack of one more keeps the others from being counted.
		descriptors: limits.descriptors === null ? null : (openDescriptors() ?? limits.descriptors),
		descriptorLimit: limits.descriptors,
		lateMs,
	};
}

/** What this process may use; null: no limit, or none that is known. */
export interface PressureLimits {
	readonly heap: number;
	readonly memory: number | null;
	readonly descriptors: number | null;
}

export function pressureLimits(): PressureLimits {
	// The limit of the container; a number beyond any machine when there is none.
	const constrained = process.constrainedMemory();
	const memory = constrained > 0 && constrained < totalmem() ? constrained : null;
	return { heap: oldSpaceLimit(), memory, descriptors: descriptorLimit() };
}

/**
 * V8 ends the process when the old generation is full, and counts the young one to its limit, three semi-spaces of
 * 16 MiB: with --max-old-space-size=64 it says 112 (Node 20).
 */
function oldSpaceLimit(): number {
	const whole = getHeapStatistics().heap_size_limit;
	const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
	const asked = options.map((option) => /^--max[-_]old[-_]space[-_]size=(\d+)$/.exec(option)?.[1]).find(Boolean);
	return Math.min(Math.max(whole - youngBytes, whole / 4), asked === undefined ? whole : Number(asked) * 1024 ** 2);
}

const youngBytes = 3 * 16 * 1024 ** 2;

/** Descriptors that are open; null where nobody says. */
export function openDescriptors(): number | null {
	try {
		// Since Linux 6.2 the size of the folder is their number, which costs no more however many there are.
		const { size } = statSync(ownDescriptors);
		return size > 0 ? size : readdirSync(ownDescriptors).length;
	} catch {
		return null;
	}
}

/** RLIMIT_NOFILE; null where there is no /proc. */
function descriptorLimit(): number | null {
	try {
		const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
		return soft === undefined ? null : Number(soft);
	} catch {
		return null;
	}
}

/**
 * Collects all garbage, which stops everything for a tenth of a second and more. Near its limit V8 does so anyhow; but
 * nothing else tells garbage from what is in use, and an idle process would keep its garbage for ever.
 */
export function collectGarbage(): void {
	setFlagsFromString('--expose-gc');
	(runInNewContext('gc') as () => void)();
	setFlagsFromString('--no-expose-gc');
}

const ownDescriptors = '/proc/self/fd';
