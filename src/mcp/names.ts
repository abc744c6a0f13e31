import { createHash } from 'node:crypto';
import type { McpBackendConfig, TargetConfig } from '../config/ir.ts';
import { ItemRules } from './lists/item-rules.ts';

/** What has a name: URIs are the names of resources, URI templates those of templates. */
export type ItemType = 'tool' | 'prompt' | 'resource';

/** An item's name, URI or id at the server that owns it. */
export interface Owned {
	readonly target: string;
	readonly name: string;
	/** Why the configuration keeps clients from using it; null: it does not. */
	readonly hidden: string | null;
}

/**
 * How names, URIs and ids of several servers become unique for the client, and the way back; and what the
 * configuration makes of them.
 *
 * Tools and prompts: `target_name`. Target names hold no `_`, so the first one always ends the prefix. Resources and
 * tasks: `target+uri`; `ui://` resources (MCP Apps) keep their scheme: `ui://target+host/path`.
 */
export interface Naming {
	/** Whether tool and prompt names carry their target. */
	readonly prefixed: boolean;
	/** Whether resource URIs and task ids carry their target. */
	readonly wrapped: boolean;
	/** Whether names of tools and prompts may have been cut or changed to fit. */
	readonly strict: boolean;
	/** Whether clients see everything as the one server has it, so that lists need no reading. */
	readonly plain: boolean;
	/** Why the configuration hides an item; null: it does not. */
	hides(type: ItemType, target: string, name: string): string | null;
	exposeName(type: 'tool' | 'prompt', target: string, name: string): string;
	/** null: no target of this endpoint is named, or only the catalogue knows the owner. */
	ownerOfName(type: 'tool' | 'prompt', exposed: string): Owned | null;
	exposeUri(target: string, uri: string): string;
	ownerOfUri(exposed: string): Owned | null;
	exposeTask(target: string, id: string): string;
	ownerOfTask(exposed: string): Owned | null;
	/** The configuration's rules for a list of a target, if it has any. */
	rules(type: ItemType, target: string): ItemRules | null;
}

/** Makes the naming of one MCP backend. */
export function createNaming(
	targets: readonly Pick<TargetConfig, 'name' | 'curation'>[],
	prefixMode: McpBackendConfig['prefixMode'],
	nameStyle: McpBackendConfig['nameStyle'] = 'relaxed',
): Naming {
	const names = new Set(targets.map((target) => target.name));
	const only = targets.length === 1 ? (targets[0]?.name ?? null) : null;
	const wrapped = only === null || prefixMode === 'always';
	const prefixed = wrapped && prefixMode !== 'never';
	const strict = nameStyle === 'strict';
	const rulesOf = compileRules(targets);
	const curated = Object.values(rulesOf).some((rules) => rules.size > 0);
	const hides = (type: ItemType, target: string, name: string) =>
		curated ? (rulesOf[type].get(target)?.hides(name) ?? null) : null;
	const owned = (type: ItemType, target: string, name: string): Owned => ({
		target,
		name,
		hidden: hides(type, target, name),
	});
	const exposeName = (type: 'tool' | 'prompt', target: string, name: string) => {
		const shown = rulesOf[type].get(target)?.expose(name) ?? name;
		const full = prefixed ? `${target}_${shown}` : shown;
		return strict ? strictName(full, target, name) : full;
	};
	return {
		prefixed,
		wrapped,
		strict,
		plain: !wrapped && !strict && !curated,
		hides,
		exposeName,
		ownerOfName(type, exposed) {
			// What was cut or changed to fit, or looks like it, names nobody that could be read from it.
			if ((!prefixed && only === null) || (strict && mayBeDigested(exposed))) return null;
			const at = prefixed ? split(exposed, exposed.indexOf('_'), names) : null;
			if (prefixed && at === null) return null;
			const target = at?.[0] ?? only ?? '';
			const shown = at?.[1] ?? exposed;
			const rules = curated ? rulesOf[type].get(target) : undefined;
			const name = rules === undefined ? shown : rules.original(shown);
			return name === null || (strict && !fits(exposed)) ? null : owned(type, target, name);
		},
		exposeUri: (target, uri) => (wrapped ? exposeUri(target, uri) : uri),
		ownerOfUri(exposed) {
			if (!wrapped) return only === null ? null : owned('resource', only, exposed);
			const at = splitUri(exposed, names);
			return at === null ? null : owned('resource', ...at);
		},
		exposeTask: (target, id) => (wrapped ? `${target}+${id}` : id),
		ownerOfTask(exposed) {
			if (!wrapped) return only === null ? null : { target: only, name: exposed, hidden: null };
			const at = split(exposed, exposed.indexOf('+'), names);
			return at === null ? null : { target: at[0], name: at[1], hidden: null };
		},
		rules: (type, target) => rulesOf[type].get(target) ?? null,
	};
}

type RulesByTarget = ReadonlyMap<string, ItemRules>;

function compileRules(
	targets: readonly Pick<TargetConfig, 'name' | 'curation'>[],
): Readonly<Record<ItemType, RulesByTarget>> {
	const tool = new Map<string, ItemRules>();
	const prompt = new Map<string, ItemRules>();
	const resource = new Map<string, ItemRules>();
	for (const { name, curation } of targets) {
		if (curation?.tools !== undefined) tool.set(name, new ItemRules('tools', curation.tools));
		if (curation?.prompts !== undefined) prompt.set(name, new ItemRules('prompts', curation.prompts));
		if (curation?.resources !== undefined) resource.set(name, new ItemRules('resources', curation.resources));
	}
	return { tool, prompt, resource };
}

const longestStrict = 64;

/**
 * A name within `[a-zA-Z0-9_-]{1,64}`, which is what some clients take. What had to be changed or cut ends in eight
 * digits of a digest, so that it stays unique and is the same after every start.
 */
function strictName(full: string, target: string, name: string): string {
	if (fits(full)) return full;
	const digest = createHash('sha256').update(`${target}\n${name}`).digest('hex').slice(0, 8);
	return `${full.replace(/[^a-zA-Z0-9_-]/gu, '_').slice(0, longestStrict - 9)}_${digest}`;
}

function fits(name: string): boolean {
	return /^[a-zA-Z0-9_-]{1,64}$/.test(name);
}

function mayBeDigested(exposed: string): boolean {
	return /_[0-9a-f]{8}$/.test(exposed);
}

const appScheme = 'ui://';

function exposeUri(target: string, uri: string): string {
	return uri.startsWith(appScheme) ? `${appScheme}${target}+${uri.slice(appScheme.length)}` : `${target}+${uri}`;
}

function splitUri(exposed: string, targets: ReadonlySet<string>): readonly [string, string] | null {
	if (exposed.startsWith(appScheme)) {
		const at = split(exposed.slice(appScheme.length), exposed.indexOf('+') - appScheme.length, targets);
		return at === null ? null : [at[0], appScheme + at[1]];
	}
	const at = split(exposed, exposed.indexOf('+'), targets);
	// There is one way to write a URI; a second one would pass whatever looks only at `ui://`.
	return at?.[1].startsWith(appScheme) ? null : at;
}

function split(exposed: string, at: number, targets: ReadonlySet<string>): readonly [string, string] | null {
	if (at <= 0) return null;
	const target = exposed.slice(0, at);
	return targets.has(target) ? [target, exposed.slice(at + 1)] : null;
}
