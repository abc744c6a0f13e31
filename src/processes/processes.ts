import { randomBytes } from 'node:crypto';
import { Child, type ChildEvents, type Launch } from './child.ts';
import { childEnvironment, markerVariable } from './environment.ts';
import { Watchdog } from './watchdog.ts';

/** A command as the configuration gives it. */
export interface Command {
	readonly command: string;
	readonly args: readonly string[];
	/** Added to the gateway's own environment. */
	readonly env: Readonly<Record<string, string>>;
	/** Start from an empty environment. */
	readonly clearEnv: boolean;
	/** Of one line of stdout; default 16 MiB. */
	readonly maximumLineBytes?: number;
}

/** Owns all child processes of one gateway; whatever happens to the gateway, none of them outlives it for long. */
export class Processes {
	private readonly marker = randomBytes(16).toString('hex');
	private readonly watchdog = new Watchdog(`${markerVariable}=${this.marker}`);
	private readonly children = new Map<Child, string>();
	private readonly ending = new Set<Promise<void>>();
	private readonly own: Readonly<Record<string, string | undefined>>;
	private readonly changed: () => void;
	private closing = false;

	/** `own` is the environment that children inherit; `changed` is called when a child comes or goes. */
	constructor(own: Readonly<Record<string, string | undefined>>, changed: () => void) {
		this.own = own;
		this.changed = changed;
	}

	/** Starts a child; after `close`, one that ends at once without having been started. `label` names its owner. */
	start(label: string, command: Command, events: ChildEvents): Child {
		const env = childEnvironment(this.own, command.env, command.clearEnv, this.marker);
		const child = new Child(
			{ ...command, env },
			{
				line: (line) => events.line(line),
				stderr: (line) => events.stderr(line),
				ended: (end) => {
					this.children.delete(child);
					this.changed();
					events.ended(end);
				},
			},
			this.closing ? refuse : undefined,
		);
		const { pid } = child;
		if (pid !== null) {
			this.children.set(child, label);
			this.watchdog.guard(pid);
			const ending = child.whenGone().then(() => {
				this.watchdog.release(pid);
				this.ending.delete(ending);
			});
			this.ending.add(ending);
			this.changed();
		}
		return child;
	}

	/** Children alive now; with a label, only those that carry it. */
	count(label?: string): number {
		if (label === undefined) return this.children.size;
		let count = 0;
		for (const other of this.children.values()) if (other === label) count++;
		return count;
	}

	/** Ends all children, then the watchdog. */
	async close(): Promise<void> {
		this.closing = true;
		await Promise.all([...this.children.keys()].map((child) => child.stop()));
		await Promise.all(this.ending);
		this.watchdog.stop();
	}
}

const refuse: Launch = () => {
	throw new Error('the gateway is stopping');
};
