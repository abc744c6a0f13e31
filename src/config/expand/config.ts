import type { GatewayConfig, Route } from '../ir.ts';
import type { WrittenConfig } from '../schema/root.ts';
import type { WrittenGatewayRoute } from '../schema/route.ts';
import { expandBackends } from './backends.ts';
import { addRoute, expandBinds } from './binds.ts';
import { expandGateways, type Gateways } from './gateways.ts';
import { checkPorts, numberFreeBinds, type OwnedBind } from './ports.ts';
import { expandRoute } from './route.ts';
import type { Scope } from './scope.ts';
import { expandSettings } from './settings.ts';
import { expandTopMcp } from './top-mcp.ts';

/**
 * The written configuration in full: every default filled in, the three styles brought into one. Reports what only shows
 * when the parts are seen together. `raw` is the value before faulty parts were cut out.
 */
export function expandConfig(config: WrittenConfig, raw: unknown, scope: Scope): GatewayConfig {
	const settings = expandSettings(config.config ?? {}, scope);
	expandBackends(config, raw, scope);
	const binds = expandBinds(config.binds ?? [], scope);
	const gateways = expandGateways(config, raw, scope);
	for (const route of config.routes ?? []) {
		attachRoute(route, gateways, scope);
	}
	checkUi(config.ui, gateways, scope);
	const ownBind = config.mcp === undefined ? null : expandTopMcp(config.mcp, gateways, scope);
	const owned: OwnedBind[] = [
		...binds.map((bind, index) => bindOwner(bind, config.binds?.[index] ?? bind, scope)),
		...Object.keys(config.gateways ?? {}).map((name, index) => ({
			bind: gateways.binds[index] as OwnedBind['bind'],
			owner: `gateways.${name}`,
			path: ['gateways', name, 'port'],
		})),
		...(ownBind === null ? [] : [{ bind: ownBind, owner: 'mcp', path: ['mcp', 'port'] }]),
	];
	checkPorts(owned, settings, scope);
	const all = owned.map(({ bind }) => bind);
	numberFreeBinds(all);
	for (const { bind, path } of owned) scope.portPaths.set(bind.key, path);
	if (all.length === 0 && scope.report.problems.length === 0) {
		scope.report.warning([], 'nothing to serve', 'add binds, gateways or mcp');
	}
	return { settings, binds: all, warnings: scope.report.warnings };
}

function bindOwner(bind: OwnedBind['bind'], written: object, scope: Scope): OwnedBind {
	const path = scope.pathOf(written);
	return { bind, owner: `binds[${path.at(-1)}]`, path: [...path, 'port'] };
}

function attachRoute(written: WrittenGatewayRoute, gateways: Gateways, scope: Scope): void {
	const path = scope.pathOf(written);
	const route: Route = expandRoute(written, 'routes', scope);
	if (written.gateways === undefined && !gateways.has('default')) {
		scope.report.problem(path, `routes.${route.name} must set gateways`, 'name a gateway, or call one "default"');
		return;
	}
	const listeners =
		written.gateways === undefined
			? gateways.resolve('default', path)
			: gateways.resolve(written.gateways, [...path, 'gateways']);
	for (const listener of listeners) {
		addRoute(listener.routes, route, written, scope);
	}
}

function checkUi(ui: WrittenConfig['ui'], gateways: Gateways, scope: Scope): void {
	if (ui === undefined) {
		return;
	}
	if (ui.gateways !== undefined) {
		gateways.resolve(ui.gateways, ['ui', 'gateways']);
	} else if (!gateways.has('default')) {
		scope.report.problem(
			['ui'],
			'ui.gateways must be set',
			'name a gateway, or remove ui: the UI is on the admin port anyway',
		);
		return;
	}
	scope.report.warning({ path: [], key: 'ui' }, '"ui" has no effect in this version; the UI is on the admin port');
}
