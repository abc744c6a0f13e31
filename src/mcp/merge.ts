import { collectItems, exposeItem, type Item, type ListKind } from './catalog.ts';
import type { DispatchContext } from './dispatch-context.ts';
import { code, mcpError } from './errors.ts';
import type { Call, McpError, Sink, Ticket } from './model.ts';

/**
 * Answers a list call with the lists of all targets, in the order of the configuration, every page of each.
 * A target that is away or answers with an error is left out, unless the backend is to fail closed.
 */
export function mergeLists(kind: ListKind, call: Call, context: DispatchContext, sink: Sink): Ticket {
	if (call.params.members?.some((member) => member.key === 'cursor')) {
		sink.fail(mcpError(code.invalidParams, 'unknown cursor: merged lists are one page'));
		return { cancel() {} };
	}
	const merging = new Merging(kind, call, context, sink);
	context.upstreams.whenSettled(() => merging.begin());
	return merging;
}

class Merging implements Ticket {
	private readonly kind: ListKind;
	private readonly call: Call;
	private readonly context: DispatchContext;
	private readonly sink: Sink;
	private readonly parts: Item[][] = [];
	private readonly tickets: Ticket[] = [];
	private readonly errors: McpError[] = [];
	private open = 0;
	private ended = false;

	constructor(kind: ListKind, call: Call, context: DispatchContext, sink: Sink) {
		this.kind = kind;
		this.call = call;
		this.context = context;
		this.sink = sink;
	}

	begin(): void {
		if (this.ended) return;
		const asked = this.context.upstreams.legs.filter(
			(leg) => leg.state === 'ready' && leg.server !== null && this.kind.capability in leg.server.capabilities,
		);
		this.open = asked.length;
		if (asked.length === 0) return this.finish();
		asked.forEach((leg, index) => {
			this.parts[index] = [];
			const ticket = collectItems(leg, this.kind, this.call, (items, warning) => {
				if (warning !== null) this.context.warn(`target "${leg.target.name}": ${this.kind.method} was cut: ${warning}`);
				if (Array.isArray(items)) this.parts[index] = items;
				else this.errors.push(items);
				if (--this.open === 0) this.finish();
			});
			this.tickets.push(ticket);
		});
	}

	cancel(reason?: string): void {
		if (this.ended) return;
		// First: what the cancelled parts report must not be taken for the whole.
		this.ended = true;
		for (const ticket of this.tickets) ticket.cancel(reason);
		this.sink.fail(mcpError(code.cancelled, 'cancelled'));
	}

	private finish(): void {
		if (this.ended) return;
		this.ended = true;
		for (const error of this.errors) {
			this.context.warn(`target "${error.target ?? ''}" failed ${this.kind.method}: ${error.message}`);
		}
		const first = this.errors[0];
		if (first !== undefined && (this.context.strict || this.errors.length === this.parts.length))
			return this.sink.fail(first);
		this.sink.done({ text: this.render(), type: 'complete', stamped: false });
	}

	private render(): Buffer {
		const chunks: Buffer[] = [Buffer.from(`{${JSON.stringify(this.kind.field)}:[`)];
		const hidden = this.doubles();
		for (const items of this.parts) {
			for (const item of items) {
				if (hidden.has(item.name)) continue;
				if (chunks.length > 1) chunks.push(comma);
				chunks.push(exposeItem(item, this.kind, this.context.naming));
			}
		}
		chunks.push(Buffer.from(']}'));
		return Buffer.concat(chunks);
	}

	/** Without prefixes, a name that two targets serve is nobody's: neither is shown, so no call can go astray. */
	private doubles(): ReadonlySet<string> {
		const doubles = new Set<string>();
		if (this.context.naming.prefixed || this.kind.key !== 'name') return doubles;
		const owner = new Map<string, string>();
		for (const item of this.parts.flat()) {
			const other = owner.get(item.name);
			if (other !== undefined && other !== item.target && !doubles.has(item.name)) {
				doubles.add(item.name);
				this.context.warn(
					`"${item.name}" is served by "${other}" and by "${item.target}" and is hidden; rename one or use prefixMode: always`,
				);
			}
			owner.set(item.name, item.target);
		}
		return doubles;
	}
}

const comma = Buffer.from(',');
