import { collectItems, type ListKind, listKinds } from './catalog.ts';
import type { Call } from './model.ts';
import type { Leg, Upstreams } from './upstreams.ts';

/**
 * Who owns a plain tool or prompt name when names carry no prefix (`prefixMode: never`). Learnt from the targets'
 * lists once, forgotten when a list or the roster changes, and looked up again before a name is called unknown.
 */
export class Owners {
	private readonly upstreams: Upstreams;
	private readonly known = new Map<string, Map<string, string | null>>();

	constructor(upstreams: Upstreams) {
		this.upstreams = upstreams;
	}

	/** Calls `found` with the target, or null when no target or more than one has the name. */
	find(type: 'tool' | 'prompt', name: string, call: Call, found: (target: string | null) => void): void {
		const owner = this.known.get(type)?.get(name);
		if (owner !== undefined) return found(owner);
		const kind = type === 'tool' ? listKinds['tools/list'] : listKinds['prompts/list'];
		if (kind === undefined) throw new Error(`no list of ${type}s`);
		this.upstreams.whenSettled(() =>
			this.learn(kind, call, (owners) => {
				this.known.set(type, owners);
				found(owners.get(name) ?? null);
			}),
		);
	}

	/** Lists have changed. */
	forget(): void {
		this.known.clear();
	}

	private learn(kind: ListKind, call: Call, done: (owners: Map<string, string | null>) => void): void {
		const owners = new Map<string, string | null>();
		const asked = this.upstreams.legs.filter((leg) => this.has(leg, kind));
		let open = asked.length;
		if (open === 0) return done(owners);
		for (const leg of asked) {
			collectItems(leg, kind, call, (items) => {
				if (Array.isArray(items)) {
					for (const item of items) {
						const other = owners.get(item.name);
						owners.set(item.name, other === undefined || other === item.target ? item.target : null);
					}
				}
				if (--open === 0) done(owners);
			});
		}
	}

	private has(leg: Leg, kind: ListKind): boolean {
		return leg.state === 'ready' && leg.server !== null && kind.capability in leg.server.capabilities;
	}
}
