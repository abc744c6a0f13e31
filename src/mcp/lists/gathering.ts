import { isListError, type List } from './collection.ts';
import type { McpError, Ticket } from '../model.ts';

/** Lists by target, the errors of the others, and which did not come in time. */
type Done = (parts: readonly (List | null)[], errors: readonly McpError[], late: ReadonlySet<number>) => void;

/** The lists of several targets on their way to one answer, which is given with what is there when its time is over. */
export class Gathering implements Ticket {
	over = false;
	private readonly parts: (List | null)[];
	private readonly errors: McpError[] = [];
	private readonly open = new Set<number>();
	private readonly tickets: Ticket[] = [];
	private readonly done: Done;
	private begun = false;
	private timer: NodeJS.Timeout | null = null;

	constructor(targets: number, done: Done) {
		this.parts = Array.from({ length: targets }, () => null);
		this.done = done;
	}

	/** The list of this target is to come. */
	expect(target: number): void {
		this.open.add(target);
	}

	/** A way to take back what is under way. */
	add(ticket: Ticket): void {
		this.tickets.push(ticket);
	}

	/** The list of a target has come; null: it has none. */
	settle(target: number, list: List | McpError | null): void {
		if (this.over || !this.open.delete(target)) return;
		if (list !== null && isListError(list)) this.errors.push(list);
		else this.parts[target] = list;
		this.look();
	}

	/** All were asked; they have `ms` milliseconds. */
	begin(ms: number): void {
		this.begun = true;
		this.look();
		if (this.over) return;
		this.timer = setTimeout(() => this.finish(), Math.max(0, ms));
	}

	cancel(reason?: string): void {
		if (this.over) return;
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		for (const ticket of this.tickets) ticket.cancel(reason);
	}

	private look(): void {
		if (this.begun && this.open.size === 0) this.finish();
	}

	private finish(): void {
		if (this.over) return;
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.done(this.parts, this.errors, this.open);
	}
}
