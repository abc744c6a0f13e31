/** What can run out. */
export type PressureKind = 'heap' | 'memory' | 'descriptors' | 'event_loop';

/** How much of everything is used. Sizes are bytes; null: there is no limit, or it is not known. */
export interface Readings {
	readonly heapUsed: number;
	/** More heap ends the process. */
	readonly heapLimit: number;
	/** Memory that the process holds, and what of it is in use: allocators keep what they may need again. */
	readonly resident: number;
	readonly inUse: number;
	/** More memory than this ends the process: the limit of its container. */
	readonly memoryLimit: number | null;
	readonly descriptors: number | null;
	readonly descriptorLimit: number | null;
	/** Milliseconds by which the event loop is behind. */
	readonly lateMs: number;
}

/** One of the kinds has come or gone. */
export interface PressureChange {
	readonly kind: PressureKind;
	readonly high: boolean;
	/** `heap: 150 of 176 MiB are used` */
	readonly text: string;
	readonly remedy: string;
}

/** Descriptors that are kept free for children, connections to servers and the admin port. */
export function descriptorReserve(limit: number): number {
	return Math.max(16, Math.min(Math.floor(limit / 4), 512));
}

/**
 * Decides from readings whether the gateway has to refuse requests. Each kind sets in at one level and ends at a lower
 * one, so that it does not flutter.
 */
export class Pressure {
	private readonly high = new Set<PressureKind>();

	/** The kinds that are high. */
	get kinds(): readonly PressureKind[] {
		return [...this.high];
	}

	/** What is high, in words with the readings of now. */
	shortages(readings: Readings): { kind: PressureKind; text: string; remedy: string }[] {
		return this.kinds.map((kind) => ({ kind, text: levels[kind].text(readings), remedy: levels[kind].remedy }));
	}

	/** Takes new readings; gives what they change. */
	take(readings: Readings): readonly PressureChange[] {
		const changes: PressureChange[] = [];
		for (const kind of pressureKinds) {
			const was = this.high.has(kind);
			const level = levels[kind];
			const high = level.reached(readings, was);
			if (high === was) continue;
			if (high) this.high.add(kind);
			else this.high.delete(kind);
			changes.push({ kind, high, text: level.text(readings), remedy: level.remedy });
		}
		return changes;
	}
}

interface Level {
	/** Whether it is high; `already`: it was before. */
	reached(readings: Readings, already: boolean): boolean;
	text(readings: Readings): string;
	readonly remedy: string;
}

const levels: Readonly<Record<PressureKind, Level>> = {
	heap: {
		reached: ({ heapUsed, heapLimit }, already) => heapUsed >= heapLimit * (already ? 0.7 : 0.8),
		text: ({ heapUsed, heapLimit }) => `heap: ${mebibytes(heapUsed)} of ${mebibytes(heapLimit)} MiB are used`,
		remedy: 'raise --max-old-space-size in NODE_OPTIONS, or lower config.mcp.limits',
	},
	memory: {
		reached: ({ resident, inUse, memoryLimit }, already) =>
			memoryLimit !== null &&
			resident >= memoryLimit * (already ? 0.8 : 0.9) &&
			inUse >= memoryLimit * (already ? 0.5 : 0.6),
		text: ({ resident, memoryLimit }) =>
			`memory: ${mebibytes(resident)} of ${mebibytes(memoryLimit ?? 0)} MiB are used`,
		remedy: 'give the container more memory, or lower config.mcp.limits',
	},
	descriptors: {
		reached: ({ descriptors, descriptorLimit }, already) => {
			if (descriptors === null || descriptorLimit === null) return false;
			const reserve = descriptorReserve(descriptorLimit);
			return descriptors >= descriptorLimit - (already ? reserve : Math.floor(reserve / 2));
		},
		text: ({ descriptors, descriptorLimit }) => `descriptors: ${descriptors} of ${descriptorLimit} are open`,
		remedy: 'raise the limit of open files (ulimit -n)',
	},
	event_loop: {
		reached: ({ lateMs }, already) => lateMs >= (already ? 300 : 1000),
		text: ({ lateMs }) => `event loop: ${Math.round(lateMs)} ms late`,
		remedy: 'spread the load over more processes',
	},
};

export const pressureKinds = Object.keys(levels) as PressureKind[];

function mebibytes(bytes: number): number {
	return Math.round(bytes / 1024 ** 2);
}
