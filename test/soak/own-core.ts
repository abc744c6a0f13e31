import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { WatchOptions } from '../faults/harness/watched-gateway.ts';
import type { Scope } from './soak.ts';

/**
 * Options for a gateway that has a core to itself, as in `npm run bench`; the load and the servers that are started after
 * this have the others. Without it, a stall or a late answer may be one of the system's, which gave the core to the load.
 * Short runs share theirs with other tests anyway.
 */
export function ownCore(scope: Scope): WatchOptions {
	const cores = availableParallelism();
	if (scope.short || process.platform !== 'linux' || cores < 2) return {};
	const pin = (which: string) => spawnSync('taskset', ['-a', '-p', '-c', which, String(process.pid)]).status === 0;
	if (!pin(`1-${cores - 1}`)) {
		scope.say('no core to itself: taskset failed');
		return {};
	}
	scope.own(async () => void pin(`0-${cores - 1}`));
	return { shell: 'taskset -c -p 0 $$ > /dev/null' };
}
