import { code, mcpError } from './errors.ts';
import { unavailable } from './legs/unavailable.ts';
import type { McpError } from './model.ts';
import type { Upstreams } from './legs/upstreams.ts';

/** When a backend refuses to be opened because targets are away: `any` of them, only `all`, or never. */
export type MissingRule = 'any' | 'all' | 'never';

/** The error of a backend whose rule does not let it be opened as it is; null: it may be. */
export function missingTarget({ legs }: Upstreams, rule: MissingRule): McpError | null {
	const away = legs.filter((leg) => leg.state !== 'ready');
	const first = away[0];
	// A session of nothing but processes for which there is no room would be of no use to anybody.
	if (first !== undefined && legs.every(({ failure }) => failure?.retryAfter !== undefined)) return unavailable(first);
	if (rule === 'never') return null;
	if (first === undefined || (rule === 'all' && away.length < legs.length)) return null;
	const reason = first.failure?.reason ?? 'it did not answer in time';
	return mcpError(code.internal, `target "${first.target.name}" could not start: ${reason}`, first.target.name);
}
