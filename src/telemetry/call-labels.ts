import type { Facts } from '../facts/facts.ts';
import { cutLabel } from '../lib/cut.ts';

/** What stands where there is nothing to say, or only what somebody has thought up. */
export const unknown = 'unknown';

/**
 * The labels of a call. Only names that mean something become labels, cut at 128 bytes: methods of MCP, and items that
 * their server lists. What clients think up would be remembered for good, and push out the rest.
 */
export function callLabels({ mcpMethod, mcpResourceType, mcpTarget, mcpResource, mcpCatalogue }: Facts): CallLabels {
	const name = mcpResource === undefined ? unknown : cutLabel(mcpResource);
	return {
		method: mcpMethod !== undefined && methods.has(mcpMethod) ? mcpMethod : unknown,
		resource_type: mcpResourceType ?? unknown,
		server: mcpTarget ?? unknown,
		resource: mcpTarget !== undefined && mcpCatalogue?.lists(mcpTarget, name) === true ? name : unknown,
	};
}

interface CallLabels {
	readonly method: string;
	readonly resource_type: string;
	readonly server: string;
	readonly resource: string;
}

/** What clients send in any revision of MCP. */
const methods: ReadonlySet<string> = new Set([
	'completion/complete',
	'initialize',
	'logging/setLevel',
	'notifications/cancelled',
	'notifications/initialized',
	'notifications/progress',
	'notifications/roots/list_changed',
	'ping',
	'prompts/get',
	'prompts/list',
	'resources/list',
	'resources/read',
	'resources/subscribe',
	'resources/templates/list',
	'resources/unsubscribe',
	'server/discover',
	'subscriptions/listen',
	'tasks/cancel',
	'tasks/get',
	'tasks/list',
	'tasks/result',
	'tasks/update',
	'tools/call',
	'tools/list',
]);
