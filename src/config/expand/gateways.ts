import type { Bind, Listener } from '../ir.ts';
import type { Path } from '../path.ts';
import type { WrittenGateway } from '../schema/listeners.ts';
import type { WrittenConfig } from '../schema/root.ts';
import { isMapping } from '../schema/section.ts';
import { suggest } from '../../lib/suggest.ts';
import type { Scope } from './scope.ts';

/** The gateways of a file as binds, and the way from references to their listeners. */
export interface Gateways {
	binds: Bind[];
	/** Whether a gateway of this name is written, faulty ones included. */
	has(name: string): boolean;
	/** The listeners behind references such as `gw` or `gw/listener`; unknown ones are reported at `path`. */
	resolve(references: string | readonly string[], path: Path): Listener[];
}

/** Written `gateways` in full. `raw` is the unchecked value, for the names of gateways with faults of their own. */
export function expandGateways(config: WrittenConfig, raw: unknown, scope: Scope): Gateways {
	const written = config.gateways ?? {};
	const names = new Set(isMapping(raw) && isMapping(raw.gateways) ? Object.keys(raw.gateways) : []);
	const byName = new Map<string, Listener[]>();
	const binds: Bind[] = [];
	for (const [name, gateway] of Object.entries(written)) {
		const listeners = expandListeners(name, gateway, scope);
		byName.set(name, listeners);
		binds.push({ key: `bind/${gateway.port}`, port: gateway.port, listeners });
	}
	const resolveOne = (reference: string, path: Path): Listener[] => {
		const [name, listenerName] = splitReference(reference);
		const listeners = byName.get(name);
		const wanted = listeners?.filter((listener) => listenerName === undefined || listener.name === listenerName);
		if (names.has(name) && (listeners === undefined || (wanted?.length ?? 0) > 0)) {
			return wanted ?? [];
		}
		const known = [...names].flatMap((known) => [
			known,
			...(byName.get(known) ?? []).map((one) => `${known}/${one.name}`),
		]);
		const meant = suggest(reference, known);
		const list = names.size === 0 ? 'there are no gateways' : `there are ${[...names].join(', ')}`;
		scope.report.problem(
			path,
			`unknown gateway reference ${reference}`,
			meant === null ? list : `did you mean "${meant}"?`,
		);
		return [];
	};
	return {
		binds,
		has: (name) => names.has(name),
		resolve(references, path) {
			const list = typeof references === 'string' ? [references] : references;
			const found = list.flatMap((one, index) =>
				resolveOne(one, typeof references === 'string' ? path : [...path, index]),
			);
			return [...new Set(found)];
		},
	};
}

function splitReference(reference: string): [string, string | undefined] {
	const cut = reference.indexOf('/');
	return cut < 0 ? [reference, undefined] : [reference.slice(0, cut), reference.slice(cut + 1)];
}

function expandListeners(name: string, gateway: WrittenGateway, scope: Scope): Listener[] {
	const common = { gateway: `default/${name}`, protocol: 'HTTP' as const };
	if (gateway.listeners === undefined) {
		return [{ ...common, name, hostname: null, routes: [] }];
	}
	if (gateway.protocol !== undefined) {
		const message = `gateways.${name} cannot set protocol, tls, or policy fields when listeners are configured`;
		scope.report.problem({ path: scope.pathOf(gateway), key: 'protocol' }, message, 'move it into the listeners');
	}
	const names = new Set<string>();
	return gateway.listeners.map((listener) => {
		const path = scope.pathOf(listener);
		const own = listener.name ?? `listener${Number(path.at(-1) ?? 0)}`;
		if (names.has(own)) {
			scope.report.problem(path, `the listener name "${own}" is used twice`, 'give each listener its own name');
		}
		names.add(own);
		return { ...common, name: own, hostname: listener.hostname ?? null, routes: [] };
	});
}
