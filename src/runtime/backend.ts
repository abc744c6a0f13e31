import type { McpBackendConfig, Settings, TargetConfig } from '../config/ir.ts';
import type { Federation } from '../mcp/connections/connections.ts';
import { Findings } from '../mcp/lists/findings.ts';
import { KnownNames } from '../mcp/lists/known-names.ts';
import { Health, type TargetHealth } from '../mcp/health/health.ts';
import type { Failure, Target } from '../mcp/model.ts';
import { createNaming } from '../mcp/names.ts';
import { Probe } from '../mcp/connections/probe.ts';
import { SharedLists } from '../mcp/lists/shared-lists.ts';

/** What a backend takes from outside. */
export interface BackendContext {
	readonly settings: Settings;
	/** `label` names the backend as `LiveBackend.label` does. */
	openTarget(label: string, config: TargetConfig): Target;
	warn(message: string): void;
	/** A target's state has changed; with the failure when that was the change. */
	targetChanged(backend: string, health: TargetHealth, failure: Failure | null): void;
}

/** What another configuration makes of a backend. Nothing of it holds before `commit`. */
export interface BackendChange {
	readonly federation: Federation;
	/** Targets that nobody uses any more once their calls are over. */
	readonly dropped: readonly Target[];
	/** Targets that were made for it. */
	readonly opened: readonly Target[];
	/** `look`: at what is new. */
	commit(look: boolean): void;
}

/**
 * An MCP backend as it lives on over reloads: its targets with what is known of them. A target whose configuration stays
 * the same stays the same object, and with it processes, pools and what was learnt of the server.
 */
export class LiveBackend {
	/** Names its targets for as long as it lives, whatever becomes of its key. */
	readonly label: string;
	readonly health: Health;
	private readonly context: BackendContext;
	private readonly names = new KnownNames();
	private current: State;

	constructor(label: string, config: McpBackendConfig, context: BackendContext) {
		this.label = label;
		this.context = context;
		this.health = new Health(
			config.targets.map(({ name }) => name),
			() => new Date(),
			(one, failure) => {
				context.targetChanged(this.key, one, failure);
				this.current.probe.watch(one);
			},
		);
		const targets = new Map(config.targets.map((target) => [target.name, this.open(target)]));
		this.current = this.state(config, targets);
		this.health.observe(this.targets);
	}

	/** Unique in a configuration, but not the same in the next one: unnamed backends are counted. */
	get key(): string {
		return this.current.config.key;
	}

	get federation(): Federation {
		return this.current.federation;
	}

	get targets(): readonly Target[] {
		return this.current.federation.targets;
	}

	/** Looks at every target, those that do not answer again and again. */
	watch(): void {
		this.current.probe.start();
	}

	close(): Promise<void> {
		this.names.close();
		return this.current.probe.stop();
	}

	/** What another configuration makes of it. */
	plan(config: McpBackendConfig): BackendChange {
		const before = this.current;
		if (factsOf(config) === factsOf(before.config)) {
			const commit = () => void (this.current = { ...before, config });
			return { federation: before.federation, dropped: [], opened: [], commit };
		}
		const targets = new Map(config.targets.map((target) => [target.name, this.kept(target) ?? this.open(target)]));
		const next = this.state(config, targets);
		const used = new Set(next.federation.targets);
		const dropped = before.federation.targets.filter((target) => !used.has(target));
		const known = new Set(before.federation.targets);
		const opened = next.federation.targets.filter((target) => !known.has(target));
		return { federation: next.federation, dropped, opened, commit: (look) => this.commit(next, look) };
	}

	private commit(next: State, look: boolean): void {
		const before = this.current;
		const known = new Set(before.federation.targets);
		const isNew = (target: Target) => !known.has(target);
		this.current = next;
		const fresh = new Set(next.federation.targets.filter(isNew).map(({ name }) => name));
		this.health.follow(
			next.config.targets.map(({ name }) => name),
			fresh,
		);
		this.health.observe(this.targets);
		this.names.keep(new Set(next.config.targets.map(({ name }) => name).filter((name) => !fresh.has(name))));
		void before.probe.stop();
		if (!look) return;
		// What stands needs no further look, unless other rules hold for what it lists.
		const rulesOf = new Map(before.config.targets.map(({ name, curation }) => [name, JSON.stringify(curation)]));
		const wanted = next.config.targets.filter(({ name, curation }) => {
			const { faults } = before.federation.findings;
			const stands = this.health.of(name)?.state === 'ready' && faults.of(name).length === 0;
			return fresh.has(name) || !stands || rulesOf.get(name) !== JSON.stringify(curation);
		});
		next.probe.start(new Set(wanted.map(({ name }) => name)), before.probe);
	}

	private kept(config: TargetConfig): OpenTarget | null {
		const known = this.current.targets.get(config.name);
		return known?.facts === targetFacts(config) ? known : null;
	}

	private open(config: TargetConfig): OpenTarget {
		return { facts: targetFacts(config), target: this.context.openTarget(this.label, config) };
	}

	private state(config: McpBackendConfig, targets: ReadonlyMap<string, OpenTarget>): State {
		const { settings, warn, targetChanged } = this.context;
		const { health } = this;
		const changed = (target: string) => {
			const one = health.of(target);
			if (one !== undefined) targetChanged(this.key, one, null);
		};
		const findings = new Findings(warn, changed, this.names);
		const { maxListItems: items, maxListPages: pages, maxResultSize: bytes } = settings.limits;
		const federation: Federation = {
			targets: [...targets.values()].map(({ target }) => target),
			naming: createNaming(config.targets, config.prefixMode, config.nameStyle),
			watch: health,
			findings,
			listLimits: { items, pages, bytes },
			lists: new SharedLists(),
			strict: config.failureMode === 'failClosed',
			refuseWhenMissing: missingRule[config.failureMode],
			startTimeout: settings.targetStartTimeout,
			warn,
		};
		return { config, targets, federation, probe: new Probe(federation, health) };
	}
}

interface State {
	readonly config: McpBackendConfig;
	/** By name, in the order of the configuration. */
	readonly targets: ReadonlyMap<string, OpenTarget>;
	readonly federation: Federation;
	readonly probe: Probe;
}

interface OpenTarget {
	readonly target: Target;
	readonly facts: string;
}

/** When `initialize` is refused because targets are missing. */
const missingRule = { tolerant: 'never', failOpen: 'all', failClosed: 'any' } as const;

/** All that its federation depends on. */
function factsOf({ targets, prefixMode, nameStyle, failureMode }: McpBackendConfig): string {
	return JSON.stringify([targets, prefixMode, nameStyle, failureMode]);
}

/** All that its connections depend on: not what clients see of its lists. */
function targetFacts(config: TargetConfig): string {
	return JSON.stringify({ ...config, curation: undefined });
}
