import { type Catalog, listDeadline, type Lists } from './lists/catalog.ts';
import type { ExposedList } from './lists/exposed-list.ts';
import { listKinds } from './lists/list-kind.ts';
import type { Call } from './model.ts';
import type { Naming, Owned } from './names.ts';
import type { Upstreams } from './legs/upstreams.ts';

/** Why a name has no owner. */
export interface Ownerless {
	/** For the client, to be put behind the name; may be empty. */
	readonly hint: string;
	/** For the log: why the configuration hides the item; null when it does not. */
	readonly hidden: string | null;
}

const guessMs = 1000;

/**
 * Who owns a tool or prompt name that does not say it: without prefixes (`prefixMode: never`), where a name was cut or
 * changed (`nameStyle: strict`), and for apps, which know only the names of their own server (MCP Apps). Answered
 * from the catalogue; its lists are read again before a name is called unknown.
 */
export class Owners {
	private readonly upstreams: Upstreams;
	private readonly naming: Naming;
	private readonly catalog: Catalog;

	constructor(upstreams: Upstreams, naming: Naming, catalog: Catalog) {
		this.upstreams = upstreams;
		this.naming = naming;
		this.catalog = catalog;
	}

	find(type: 'tool' | 'prompt', name: string, call: Call, found: (owner: Owned | Ownerless) => void): void {
		// With its prefix, any name of a prompt says whose it is.
		if (type === 'prompt' && this.naming.prefixed && !this.naming.strict) return found({ hint: '', hidden: null });
		const kind = type === 'tool' ? listKinds.tools : listKinds.prompts;
		const known = this.catalog.known(kind);
		const owner = known === null ? null : ownerIn(known, name);
		if (owner !== null) return found(owner);
		const until = listDeadline();
		this.upstreams.whenUsable(until - performance.now(), () => {
			// With prefixes only apps leave them out; whoever guesses names must not make servers list on and on.
			const notBefore = performance.now() - (this.naming.prefixed ? guessMs : 0);
			const done = (lists: Lists) => found(ownerIn(lists.exposed, name) ?? this.missing(lists, name));
			this.catalog.lists(kind, call, notBefore, done, until);
		});
	}

	private missing({ exposed, whole }: Lists, name: string): Ownerless {
		const hidden = exposed.hidden.find((item) => item.name === name)?.reason ?? null;
		const doubled = exposed.doubled.get(name);
		if (doubled !== undefined) {
			const hint = `; ${doubled.map((target) => `"${target}"`).join(' and ')} both serve it, so it is hidden`;
			return { hint, hidden };
		}
		const own = exposed.kind.type === 'tool' ? exposed.findOwn(name) : [];
		if (own.length > 1) {
			return { hint: `; did you mean ${own.map((one) => `"${one.exposed}"`).join(' or ')}?`, hidden };
		}
		if (this.naming.prefixed || whole) return { hint: '', hidden };
		const away = this.upstreams.legs.filter((leg) => leg.state !== 'ready').map((leg) => `"${leg.target.name}"`);
		return { hint: `; not available right now: ${away.join(', ')}`, hidden };
	}
}

/** Whether a name has an owner. */
export function isOwned(owner: Owned | Ownerless): owner is Owned {
	return 'target' in owner;
}

function ownerIn(list: ExposedList, name: string): Owned | null {
	const own = list.kind.type === 'tool' && !list.doubled.has(name) ? list.findOwn(name) : [];
	const one = list.find(name) ?? (own.length === 1 ? own[0] : undefined);
	return one === undefined ? null : { target: one.item.target, name: one.item.name, hidden: null };
}
