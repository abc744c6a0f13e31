import { randomBytes } from 'node:crypto';
import { Child, type ChildEvents, type Launch } from './child.ts';
import { childEnvironment, inheritedEnvironment, markerVariable } from './environment.ts';
import { type Belonging, Headcount } from './headcount.ts';
import type { StartRefusal } from './start-refusal.ts';
import { type ProcessReport, Supervision } from './supervision.ts';
import { WaitingStart, type Wish } from './waiting-start.ts';
import { Watchdog } from './watchdog.ts';

/** A command as the configuration gives it. */
export interface Command {
	readonly command: string;
	readonly args: readonly string[];
	/** Added to the gateway's own environment. */
	readonly env: Readonly<Record<string, string>>;
	/** Start from an empty environment. */
	readonly clearEnv: boolean;
	/** Folder to run in; absent: the gateway's own. */
	readonly cwd?: string;
	/** Of one line of stdout; default 16 MiB. */
	readonly maximumLineBytes?: number;
	/** Processes with the same label at once; absent: no limit. */
	readonly maximum?: number;
}

/** How many children there may be at once. */
export interface ProcessLimits {
	readonly total: number;
	/** Of one owner; null: no limit. */
	readonly perOwner: number | null;
}

/**
 * What a process is there for: a `spare` is in reserve until it is claimed; a `look` is the gateway's own at a target, and
 * ends by itself.
 */
export type Purpose = 'use' | 'spare' | 'look';

export interface ProcessesOptions {
	/** The environment that children inherit. */
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Values that no child may inherit. */
	readonly secrets?: readonly string[];
	readonly limits?: ProcessLimits;
	/** Called when a child comes or goes. */
	changed(): void;
}

/** Owns all child processes of one gateway; whatever happens to the gateway, none of them outlives it for long. */
export class Processes {
	private readonly marker = randomBytes(16).toString('hex');
	private readonly watchdog = new Watchdog(`${markerVariable}=${this.marker}`);
	private readonly children = new Map<Child, Entry>();
	private readonly ending = new Set<Promise<void>>();
	/** Starts that wait for room, the first one first. */
	private readonly line = new Set<WaitingStart>();
	private readonly supervisions = new Map<string, Supervision>();
	private readonly inherited: Readonly<Record<string, string>>;
	private readonly limits: ProcessLimits;
	private readonly changed: () => void;
	private started = 0;
	private closing = false;

	constructor({ env, secrets = [], limits = { total: 1000, perOwner: null }, changed }: ProcessesOptions) {
		this.inherited = inheritedEnvironment(env, secrets);
		this.limits = limits;
		this.changed = changed;
	}

	/**
	 * Calls `then` as soon as it is known whether a child may be started: at once, unless nothing stands in the way but
	 * children that have been asked to end, and those with which the gateway looks at a target. Those are waited for, the
	 * longest-waiting start first, for `ms` milliseconds at most. null: `then` has been called.
	 */
	whenRoom(wish: Wish, ms: number, then: () => void): WaitingStart | null {
		if (this.hopeful(wish, this.headcounts())) return new WaitingStart(wish, this.line, ms, then);
		then();
		return null;
	}

	/**
	 * Starts a child. Where it may not be started, because the gateway stops or a limit is reached, one that ends at once.
	 * `label` names its target; `owner` is whoever it is started for, null for the gateway itself. A `spare` is ended before
	 * somebody else is refused because there are too many in all.
	 */
	start(
		label: string,
		command: Command,
		events: ChildEvents,
		owner: string | null = null,
		purpose: Purpose = 'use',
	): Child {
		const refusal = this.refusal({ label, owner, maximum: command.maximum }, this.headcounts().all, purpose);
		if (refusal === null && this.children.size >= this.limits.total) this.giveUpSpare();
		const mark = `${this.marker}.${(this.started++).toString(16).padStart(8, '0')}`;
		if (refusal === null) this.watchdog.begin();
		const env = childEnvironment(this.inherited, command.env, command.clearEnv, mark);
		const supervision = this.supervision(label);
		const entry: Entry = { label, owner, ready: false, purpose };
		const child = new Child(
			{ ...command, env },
			{
				line: (line) => events.line(line),
				stderr: (line) => events.stderr(line),
				ended: (end) => {
					this.children.delete(child);
					// What nothing was started of has not ended.
					const wanted = child.isStopping || end.retryAfter !== undefined;
					if (refusal === null) supervision.ended({ wanted, reason: end.reason, wasReady: entry.ready });
					this.changed();
					this.seat();
					events.ended(end);
				},
			},
			supervision.stderr,
			refusal === null ? undefined : refuseWith(refusal),
		);
		if (refusal === null) supervision.started();
		const { pid } = child;
		if (pid !== null) {
			this.children.set(child, entry);
			this.watchdog.guard(pid);
			const ending = child.whenGone().then(() => {
				this.watchdog.release(pid, `${markerVariable}=${mark}`);
				this.ending.delete(ending);
			});
			this.ending.add(ending);
			this.changed();
		}
		return child;
	}

	/** Hands a child that was started in reserve to its owner; a refusal when that owner has too many. */
	claim(child: Child, owner: string | null, purpose: Purpose = 'use'): StartRefusal | null {
		const entry = this.children.get(child);
		if (entry === undefined) return null;
		if (child.isStopping) return { reason: 'it is being ended', remedy: '' };
		const refusal = this.ownerRefusal(owner, this.headcounts().all);
		if (refusal !== null) return refusal;
		entry.owner = owner;
		entry.purpose = purpose;
		return null;
	}

	/** The child has shown that it works. */
	ready(child: Child): void {
		const entry = this.children.get(child);
		if (entry === undefined || entry.ready) return;
		entry.ready = true;
		this.supervision(entry.label).becameReady();
		this.changed();
	}

	/** What watches the processes with this label. */
	supervision(label: string): Supervision {
		const known = this.supervisions.get(label);
		if (known !== undefined) return known;
		const made = new Supervision(() => performance.now());
		this.supervisions.set(label, made);
		return made;
	}

	/** Nothing will be started under this label any more. */
	forget(label: string): void {
		this.supervisions.delete(label);
	}

	/** null: nothing was ever started under this label. */
	report(label: string): ProcessReport | null {
		return this.supervisions.get(label)?.report() ?? null;
	}

	/** Children alive now; with a label, only those that carry it. */
	count(label?: string): number {
		if (label === undefined) return this.children.size;
		let count = 0;
		for (const other of this.children.values()) if (other.label === label) count++;
		return count;
	}

	/** Ends all children, then the watchdog. */
	async close(): Promise<void> {
		this.closing = true;
		this.seat();
		await Promise.all([...this.children.keys()].map((child) => child.stop()));
		await Promise.all(this.ending);
		this.watchdog.stop();
	}

	/** Whether there are as many processes with this label as there may be. */
	isFull(label: string, maximum: number | undefined): boolean {
		return maximum !== undefined && this.count(label) >= maximum;
	}

	/** Lets go of the starts that have nothing to wait for any more, because there is room or because there will be none. */
	private seat(): void {
		let counts = this.headcounts();
		for (const one of this.line) {
			// One that was let go before this one has started a child, or was refused.
			if (counts.all.total !== this.children.size) counts = this.headcounts();
			if (!this.hopeful(one.wish, counts)) one.go();
		}
	}

	/** Whether there is no room, but will be without anybody's doing. */
	private hopeful(wish: Wish, { all, lasting }: Headcounts): boolean {
		return this.refusal(wish, all, 'use') !== null && this.refusal(wish, lasting, 'use') === null;
	}

	private headcounts(): Headcounts {
		const [all, lasting] = [new Headcount(), new Headcount()];
		for (const [child, entry] of this.children) {
			all.add(entry);
			if (!child.isStopping && entry.purpose !== 'look') lasting.add(entry);
		}
		return { all, lasting };
	}

	private refusal({ label, owner, maximum }: Wish, counted: Headcount, purpose: Purpose): StartRefusal | null {
		if (this.closing) return { reason: 'the gateway is stopping', remedy: '' };
		const tooMany = this.ownerRefusal(owner, counted);
		if (tooMany !== null) return tooMany;
		if (maximum !== undefined && counted.ofLabel(label) >= maximum)
			return full(`its limit of ${maximum} processes is reached`, 'maxProcesses of the target');
		if (counted.total >= this.limits.total && (purpose === 'spare' || this.spare() === null))
			return full(`the limit of ${this.limits.total} child processes is reached`, 'config.mcp.limits.maxProcesses');
		return null;
	}

	/** Ends one in reserve, of whatever target, so that who needs a process has room. */
	private giveUpSpare(): void {
		const child = this.spare();
		const entry = child === null ? undefined : this.children.get(child);
		if (child === null || entry === undefined) return;
		entry.purpose = 'use';
		void child.stop();
	}

	private spare(): Child | null {
		for (const [child, { purpose }] of this.children) if (purpose === 'spare' && !child.isStopping) return child;
		return null;
	}

	private ownerRefusal(owner: string | null, counted: Headcount): StartRefusal | null {
		const { perOwner } = this.limits;
		if (perOwner === null || owner === null || counted.ofOwner(owner) < perOwner) return null;
		const key = 'config.mcp.limits.maxProcessesPerPrincipal';
		return full(`the limit of ${perOwner} child processes for one principal is reached`, key);
	}
}

/** A child that is alive. */
interface Entry extends Belonging {
	readonly label: string;
	owner: string | null;
	ready: boolean;
	purpose: Purpose;
}

/** Of all children, and of those alone that do not end by themselves. */
interface Headcounts {
	readonly all: Headcount;
	readonly lasting: Headcount;
}

/** There is no room, but there may be soon. */
function full(reason: string, key: string): StartRefusal {
	return { reason, remedy: `End sessions, or raise ${key}.`, retryAfter: 5 };
}

function refuseWith(refusal: StartRefusal): Launch {
	return () => refusal;
}
