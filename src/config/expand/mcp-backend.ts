import type { McpBackendConfig, TargetConfig } from '../ir.ts';
import type { WrittenMcpBackend } from '../schema/mcp.ts';
import { checkNewNames, expandCuration } from './curation.ts';
import type { Scope } from './scope.ts';
import { expandTarget } from './target.ts';

/** A written MCP backend with every default filled in. Reports duplicate target names. */
export function expandMcpBackend(written: WrittenMcpBackend, key: string, scope: Scope): McpBackendConfig {
	const names = new Map<string, number>();
	const targets: { written: WrittenMcpBackend['targets'][number]; config: TargetConfig }[] = [];
	for (const target of written.targets) {
		const path = scope.pathOf(target);
		const { line } = scope.report.lineOf([...path, 'name']);
		const first = names.get(target.name);
		if (first !== undefined) {
			const remedy = 'give each target its own name';
			scope.report.problem(
				[...path, 'name'],
				`the target name "${target.name}" is used twice (also on line ${first})`,
				remedy,
			);
		}
		names.set(target.name, first ?? line);
		const expanded = expandTarget(target, scope);
		const curation = expandCuration(target, scope);
		if (expanded !== null) {
			targets.push({ written: target, config: curation === undefined ? expanded : { ...expanded, curation } });
		}
	}
	if (written.prefixMode === 'never') {
		checkNewNames(targets, scope);
	}
	return {
		kind: 'mcp',
		key,
		targets: targets.map(({ config }) => config),
		statefulMode: written.statefulMode ?? 'stateful',
		prefixMode: written.prefixMode ?? 'conditional',
		nameStyle: written.nameStyle ?? 'relaxed',
		failureMode: written.failureMode ?? 'tolerant',
		dnsRebindingProtection: written.dnsRebindingProtection ?? null,
	};
}
