import type { TargetConfig } from '../config/ir.ts';

/** An item's name or URI at the server that owns it. */
export interface Owned {
	readonly target: string;
	readonly name: string;
}

/**
 * How names and URIs of several servers become unique for the client, and the way back.
 *
 * Tools and prompts: `target_name`. Target names hold no `_`, so the first one always ends the prefix. Resources:
 * `target+uri`; `ui://` resources (MCP Apps) keep their scheme: `ui://target+host/path`.
 */
export interface Naming {
	/** Whether tool and prompt names carry their target. */
	readonly prefixed: boolean;
	/** Whether resource URIs carry their target. */
	readonly wrapped: boolean;
	exposeName(target: string, name: string): string;
	/** null: no target of this endpoint is named, or names are not prefixed (then the catalogue knows the owner). */
	ownerOfName(exposed: string): Owned | null;
	exposeUri(target: string, uri: string): string;
	ownerOfUri(exposed: string): Owned | null;
}

/** Makes the naming of one MCP backend. `only` is the target when names need no owner. */
export function createNaming(
	targets: readonly Pick<TargetConfig, 'name'>[],
	prefixMode: 'conditional' | 'always' | 'never',
): Naming {
	const names = new Set(targets.map((target) => target.name));
	const only = targets.length === 1 ? (targets[0]?.name ?? null) : null;
	const wrapped = only === null || prefixMode === 'always';
	const prefixed = wrapped && prefixMode !== 'never';
	return {
		prefixed,
		wrapped,
		exposeName: (target, name) => (prefixed ? `${target}_${name}` : name),
		ownerOfName(exposed) {
			if (!prefixed) return only === null ? null : { target: only, name: exposed };
			return split(exposed, exposed.indexOf('_'), names);
		},
		exposeUri: (target, uri) => (wrapped ? exposeUri(target, uri) : uri),
		ownerOfUri(exposed) {
			if (!wrapped) return only === null ? null : { target: only, name: exposed };
			if (!exposed.startsWith(appScheme)) return split(exposed, exposed.indexOf('+'), names);
			const owned = split(exposed.slice(appScheme.length), exposed.indexOf('+') - appScheme.length, names);
			return owned === null ? null : { target: owned.target, name: appScheme + owned.name };
		},
	};
}

const appScheme = 'ui://';

function exposeUri(target: string, uri: string): string {
	return uri.startsWith(appScheme) ? `${appScheme}${target}+${uri.slice(appScheme.length)}` : `${target}+${uri}`;
}

function split(exposed: string, at: number, targets: ReadonlySet<string>): Owned | null {
	if (at <= 0) return null;
	const target = exposed.slice(0, at);
	return targets.has(target) ? { target, name: exposed.slice(at + 1) } : null;
}
