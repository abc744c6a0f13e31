import { Admission, overloaded } from '../http/admission.ts';
import type { PressureView } from '../admin/state.ts';
import type { Logger } from '../telemetry/log.ts';
import type { PressureFigures } from '../telemetry/pressure-metrics.ts';
import {
	descriptorReserve,
	Pressure,
	type PressureChange,
	type PressureKind,
	pressureKinds,
	type Readings,
} from './pressure.ts';
import {
	collectGarbage,
	openDescriptors,
	type PressureLimits,
	pressureLimits,
	readPressure,
} from './pressure-readings.ts';

/** How often is looked. A flood that fills the memory takes longer. */
const everyMs = 250;
/** A step counts as this at most, so that one alone, or a process that was stopped, is no pressure. */
const longestStepMs = 2000;
/** Garbage is collected for a closer look at most so often, and never for more than a twentieth of the time. */
const collectEveryMs = 5000;
/** Refused connections are told of at most so often. */
const tellEveryMs = 10_000;
/** From here on, a closer look is worth its price. */
const suspicious = 0.85;
/** Half-full memory of which bodies are a quarter still leaves room for what is made of them. */
const bodyShare = 0.25;

/** Looks after what the process uses, and has requests refused before it runs out. */
export class PressureWatch {
	readonly admission: Admission;
	readonly limits: PressureLimits;
	private readonly pressure = new Pressure();
	private readonly logger: Logger;
	private readonly changed: () => void;
	private readonly timer: NodeJS.Timeout;
	private readonly since = new Map<PressureKind, string>();
	private due = performance.now() + everyMs;
	private late = 0;
	private mayCollectAt = 0;
	private live: number | null = null;
	private shownConnections = 0;
	private mayTellAt = 0;
	private last: Readings;

	/** `changed` is called when something sets in or ends. */
	constructor(logger: Logger, changed: () => void) {
		this.logger = logger;
		this.changed = changed;
		this.limits = pressureLimits();
		this.last = readPressure(this.limits, 0);
		this.admission = new Admission({ held: mostHeld(this.limits), connections: mostConnections(this.limits) });
		this.timer = setInterval(() => this.look(performance.now()), everyMs);
		this.timer.unref();
	}

	/** What is short now, for a person to read. */
	get shortages(): PressureView[] {
		return this.pressure.shortages(this.last).map((view) => ({ ...view, since: this.since.get(view.kind) ?? '' }));
	}

	/** The last readings as the metrics show them. */
	figures(droppedLogLines: number): PressureFigures {
		const { last, admission } = this;
		const high = this.pressure.kinds;
		return {
			kinds: new Map(pressureKinds.map((kind) => [kind, high.includes(kind)])),
			refusedRequests: admission.refusedRequests,
			refusedConnections: admission.refusedConnections,
			heldBytes: admission.held,
			lateSeconds: last.lateMs / 1000,
			heapUsed: last.heapUsed,
			heapLimit: last.heapLimit,
			descriptors: last.descriptors,
			descriptorLimit: last.descriptorLimit,
			droppedLogLines,
		};
	}

	stop(): void {
		clearInterval(this.timer);
	}

	private look(now: number): void {
		// One long step is no pressure, be it that the whole machine was paused: the mean of about a second counts.
		this.late += (Math.min(longestStepMs, Math.max(0, now - this.due)) - this.late) / 4;
		this.due = now + everyMs;
		this.last = this.closer(readPressure(this.limits, this.late), now);
		for (const change of this.pressure.take(this.last)) this.tell(change);
		if (now >= this.mayTellAt) this.tellConnections(now);
	}

	/** The same readings with what is really in use of the heap, where that makes a difference. */
	private closer(readings: Readings, now: number): Readings {
		const { heapUsed, heapLimit, resident, memoryLimit } = readings;
		const full = memoryLimit !== null && resident >= memoryLimit * suspicious;
		const short = this.pressure.kinds.some((kind) => kind === 'heap' || kind === 'memory');
		if (heapUsed < heapLimit * suspicious && !full && !short) {
			this.live = null;
			return readings;
		}
		if (now < this.mayCollectAt) {
			// So near the limit it does not matter what it is.
			if (this.live === null || heapUsed >= heapLimit * 0.95) return readings;
			return { ...readings, heapUsed: Math.min(heapUsed, this.live) };
		}
		const began = performance.now();
		collectGarbage();
		const took = performance.now() - began;
		this.mayCollectAt = now + Math.max(collectEveryMs, 20 * took);
		this.due += took;
		const after = readPressure(this.limits, this.late);
		this.live = after.heapUsed;
		return after;
	}

	private tell({ kind, high, text, remedy }: PressureChange): void {
		const [first] = this.pressure.kinds;
		this.since.set(kind, new Date().toISOString());
		this.admission.refusal = first === undefined ? null : overloaded(first.replace('_', ' '));
		if (high) this.logger.warn(`requests are refused: ${text}`, { pressure: kind, remedy });
		else this.logger.info(`no longer short of ${kind.replace('_', ' ')}: ${text}`, { pressure: kind });
		this.changed();
	}

	/** Connections come in crowds; they are told of together. */
	private tellConnections(now: number): void {
		const { refusedConnections, connections } = this.admission;
		const refused = refusedConnections - this.shownConnections;
		if (refused === 0) return;
		this.shownConnections = refusedConnections;
		this.mayTellAt = now + tellEveryMs;
		this.logger.warn(`${refused} connections were refused: ${connections} are open`, {
			descriptor_limit: this.limits.descriptors ?? undefined,
			remedy: 'raise the limit of open files (ulimit -n)',
		});
	}
}

/** Heap is not all: bodies lie beside it. An operator who keeps the heap small wants a small process. */
function mostHeld({ heap, memory }: PressureLimits): number {
	return bodyShare * Math.min(memory ?? Number.POSITIVE_INFINITY, 2 * heap);
}

function mostConnections({ descriptors }: PressureLimits): number {
	if (descriptors === null) return Number.POSITIVE_INFINITY;
	return Math.max(8, descriptors - (openDescriptors() ?? 0) - descriptorReserve(descriptors));
}
