import type { CurationConfig, ItemRulesConfig, TargetConfig } from '../ir.ts';
import type { WrittenTarget } from '../schema/mcp.ts';
import type { Scope } from './scope.ts';

const lists = ['tools', 'prompts', 'resources'] as const;

type WrittenRules = NonNullable<WrittenTarget['tools']> | NonNullable<WrittenTarget['resources']>;

/** What a target's `tools`, `prompts` and `resources` say; undefined when none is written. */
export function expandCuration(target: WrittenTarget, scope: Scope): CurationConfig | undefined {
	const curation: CurationConfig = {};
	for (const list of lists) {
		const written = target[list];
		if (written !== undefined) curation[list] = expandRules(written, list, target, scope);
	}
	return Object.keys(curation).length === 0 ? undefined : curation;
}

function expandRules(written: WrittenRules, list: string, target: WrittenTarget, scope: Scope): ItemRulesConfig {
	const rename = 'rename' in written ? (written.rename ?? {}) : {};
	const path = [...scope.pathOf(target), list, 'rename'];
	const taken = new Map<string, string>();
	for (const [from, to] of Object.entries(rename)) {
		const other = taken.get(to);
		if (other !== undefined) {
			scope.report.problem({ path, key: from }, `"${other}" is renamed to "${to}" already`, 'give each its own name');
		}
		if (from === to) scope.report.warning({ path, key: from }, `"${from}" is renamed to itself`, 'leave it out');
		taken.set(to, from);
	}
	return { include: written.include ?? null, exclude: written.exclude ?? [], rename, describe: written.describe ?? {} };
}

/** Without prefixes, a new name must be new among all targets, or neither would be shown. */
export function checkNewNames(
	targets: readonly { written: WrittenTarget; config: TargetConfig }[],
	scope: Scope,
): void {
	for (const list of ['tools', 'prompts'] as const) {
		const taken = new Map<string, string>();
		for (const { written, config } of targets) {
			for (const [from, to] of Object.entries(config.curation?.[list]?.rename ?? {})) {
				const other = taken.get(to);
				if (other !== undefined && other !== config.name) {
					const path = [...scope.pathOf(written), list, 'rename'];
					const message = `target "${other}" has a "${to}" already, and prefixMode: never tells them apart by name only`;
					scope.report.problem({ path, key: from }, message, 'give each its own name');
				}
				taken.set(to, config.name);
			}
		}
	}
}
