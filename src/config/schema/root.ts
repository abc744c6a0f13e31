import * as z from 'zod';
import { BIND, GATEWAY } from './listeners.ts';
import { MCP_FIELDS } from './mcp.ts';
import { GATEWAY_ROUTE, NAMED_BACKEND, ROUTE_POLICIES } from './route.ts';
import { known, section } from './section.ts';
import { SETTINGS } from './settings.ts';
import { gatewayReferences, port } from './values.ts';

const TOP_MCP = section(
	{
		...MCP_FIELDS,
		port: port(
			'The port to listen on, with every path. Default: 3000, unless there is a gateway `default`.',
		).optional(),
		gateways: gatewayReferences(
			'Serve `/mcp`, `/sse` and `/.well-known` on these gateways instead of on a port of its own.',
		),
		policies: ROUTE_POLICIES.optional(),
	},
	{ id: 'topMcp', description: 'The short form: one MCP backend on one port.' },
);

const UI = section(
	{ gateways: gatewayReferences('Gateways that would carry the UI.') },
	{
		id: 'ui',
		description: 'Accepted for agentgateway’s own default file; the UI is on the admin port.',
		known: known('warn', 'policies'),
	},
);

/** A whole file. */
export const ROOT = section(
	{
		config: SETTINGS.optional(),
		binds: z.array(BIND).describe('Ports, listeners and routes, nested.').optional(),
		gateways: z.record(z.string(), GATEWAY).describe('Ports by name, for `routes`, `mcp` and `ui`.').optional(),
		routes: z.array(GATEWAY_ROUTE).describe('Routes that refer to gateways.').optional(),
		mcp: TOP_MCP.optional(),
		backends: z.array(NAMED_BACKEND).describe('Backends that routes use by name.').optional(),
		ui: UI.optional(),
	},
	{
		description: 'Configuration of the gateway: one YAML or JSON document.',
		known: known('refuse', 'tcpRoutes llm frontendPolicies policies routeGroups services workloads'),
	},
);

/** A whole file as written, once its keys and types are checked. */
export type WrittenConfig = z.infer<typeof ROOT>;
/** Top-level `mcp` as written. */
export type WrittenTopMcp = z.infer<typeof TOP_MCP>;
