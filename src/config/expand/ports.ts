import type { Address, Bind, Settings } from '../ir.ts';
import type { Path } from '../path.ts';
import type { Scope } from './scope.ts';

/** A bind, who owns it in the words of the file, and where its port is written. */
export interface OwnedBind {
	bind: Bind;
	owner: string;
	path: Path;
}

/** Reports ports with two owners, also those of the admin, metrics and readiness addresses; free ports (0) never collide. */
export function checkPorts(binds: readonly OwnedBind[], settings: Settings, scope: Scope): void {
	const owners = new Map<number, string>();
	const own = (address: Address | null, owner: string): void => {
		if (address?.kind === 'tcp') {
			owners.set(address.port, owner);
		}
	};
	own(settings.adminAddress, 'config.adminAddr');
	own(settings.statsAddress, 'config.statsAddr');
	own(settings.readinessAddress, 'config.readinessAddr');
	for (const { bind, owner, path } of binds) {
		const other = owners.get(bind.port);
		if (bind.port === 0) {
			continue;
		}
		if (other !== undefined) {
			const rule = other.startsWith('config.')
				? 'the gateway uses it itself'
				: 'binds, llm, and mcp must use unique ports';
			scope.report.problem(path, `port ${bind.port} is configured by both ${other} and ${owner}; ${rule}`);
		}
		owners.set(bind.port, other ?? owner);
	}
}

/** Makes the keys of binds on free ports (0) differ: `bind/0`, `bind/0#2` … */
export function numberFreeBinds(binds: readonly Bind[]): void {
	let count = 0;
	for (const bind of binds) {
		if (bind.port === 0 && ++count > 1) {
			bind.key = `bind/0#${count}`;
		}
	}
}
