import type { ItemRulesConfig } from '../../config/ir.ts';
import { compileGlob } from '../../lib/glob.ts';
import { suggest } from '../../lib/suggest.ts';

/** The keys of a target that curate its lists. */
export type CuratedList = 'tools' | 'prompts' | 'resources';

/** What clients see of the items of one list of one target, and under which names. Compiled from the configuration. */
export class ItemRules {
	private readonly list: CuratedList;
	private readonly config: ItemRulesConfig;
	private readonly include: readonly Matcher[] | null;
	private readonly exclude: readonly Matcher[];
	private readonly forward: ReadonlyMap<string, string>;
	private readonly backward: ReadonlyMap<string, string>;
	private readonly descriptions: ReadonlyMap<string, string>;

	constructor(list: CuratedList, config: ItemRulesConfig) {
		this.list = list;
		this.config = config;
		this.include = config.include?.map(compileGlob) ?? null;
		this.exclude = config.exclude.map(compileGlob);
		const renames = Object.entries(config.rename);
		this.forward = new Map(renames);
		this.backward = new Map(renames.map(([from, to]) => [to, from]));
		this.descriptions = new Map(Object.entries(config.describe));
	}

	/** Why clients do not get an item, in words for the log; null: they do. The name is the server's. */
	hides(name: string): string | null {
		const taken = this.backward.get(name);
		if (taken !== undefined && !this.forward.has(name)) return `${this.list}.rename gives its name to "${taken}"`;
		const forms = this.list === 'resources' ? formsOf(name) : [name];
		const { include } = this;
		if (include !== null && !forms.every((form) => include.some((fits) => fits(form)))) {
			return `${this.list}.include does not name it`;
		}
		const excluded = (form: string) => this.exclude.some((fits) => fits(form));
		if (forms.some(excluded) || (this.list === 'resources' && (excluded(decoded(name)) || excluded(resolved(name))))) {
			return `${this.list}.exclude names it`;
		}
		return null;
	}

	/** The client's name for a server's. */
	expose(name: string): string {
		return this.forward.get(name) ?? name;
	}

	/** The server's name for a client's; null for a name that was renamed away. */
	original(name: string): string | null {
		return this.backward.get(name) ?? (this.forward.has(name) ? null : name);
	}

	/** The description that clients read instead of the server's. */
	description(name: string): string | undefined {
		return this.descriptions.get(name);
	}

	/** What is odd about the rules for a server that has these items, as sentences for the log. */
	findings(names: readonly string[]): string[] {
		const known = new Set(names);
		const idle: string[] = [];
		for (const [from, to] of this.forward) {
			if (!known.has(to) || this.forward.has(to)) continue;
			idle.push(`${this.list}.rename gives the name "${to}" to "${from}"; the server's own "${to}" is hidden`);
		}
		for (const key of ['rename', 'describe'] as const) {
			for (const name of Object.keys(this.config[key])) if (!known.has(name)) idle.push(this.missing(key, name, names));
		}
		for (const key of ['include', 'exclude'] as const) {
			for (const pattern of this.config[key] ?? []) {
				if (!names.some(compileGlob(pattern))) idle.push(this.missing(key, pattern, names));
			}
		}
		return idle;
	}

	private missing(key: string, name: string, names: readonly string[]): string {
		const near = /[*?]/.test(name) ? null : suggest(name, names);
		const hint = near === null ? '' : `; did you mean "${near}"?`;
		return `${this.list}.${key} names "${name}", which the server does not have${hint}`;
	}
}

type Matcher = (text: string) => boolean;

/**
 * A URI as written and, when it is another one, what is left of it once dots are resolved and percent-escapes undone.
 * A rule must hold for both, or `/public/../secret` would be public.
 */
function formsOf(uri: string): readonly string[] {
	const other = resolved(uri);
	// Adding the slash of a bare host, or lowering its case, makes no other address of it.
	const bare = (text: string) => text.replace(/\/$/, '').toLowerCase();
	return bare(other) === bare(decoded(uri)) ? [uri] : [uri, other];
}

/** The URI as a server may write it that takes `FILE:///secret` for `file:///secret`. */
function resolved(uri: string): string {
	const plain = decoded(uri);
	return URL.canParse(plain) ? decoded(new URL(plain).href) : plain;
}

function decoded(uri: string): string {
	try {
		return decodeURIComponent(uri);
	} catch {
		return uri;
	}
}
