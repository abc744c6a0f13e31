import * as z from 'zod';
import { MCP_BACKEND } from './mcp.ts';
import { known, section } from './section.ts';
import { duration, expression, flag, gatewayReferences, hostname, text, urlPath } from './values.ts';

const VALUE = section(
	{
		exact: z.string().describe('The whole value.').optional(),
		regex: expression('An RE2 expression for the whole value.').optional(),
	},
	{ id: 'valueMatch', description: 'How a value is compared.', oneOf: ['exact', 'regex'] },
);
const HEADER = section(
	{ name: text('Header name; `:method`, `:path` and such are allowed.'), value: VALUE },
	{ id: 'headerMatch', description: 'A condition on a request header.' },
);
const QUERY = section(
	{ name: text('Parameter name.'), value: VALUE },
	{ id: 'queryMatch', description: 'A condition on a query parameter.' },
);
const PATH_MATCH = section(
	{
		exact: urlPath('The whole path.').optional(),
		pathPrefix: urlPath('Whole segments at the beginning of the path.').optional(),
		regex: expression('An RE2 expression for the whole path.').optional(),
	},
	{ id: 'pathMatch', description: 'How the path is compared.', oneOf: ['exact', 'pathPrefix', 'regex'] },
);
const MATCH = section(
	{
		path: PATH_MATCH.describe('How the path is compared. Default: every path.').optional(),
		method: text('HTTP method, exactly.').optional(),
		headers: z.array(HEADER).meta({ description: 'All must hold.', default: [] }).optional(),
		query: z.array(QUERY).meta({ description: 'All must hold.', default: [] }).optional(),
	},
	{ id: 'match', description: 'Conditions that must all hold; several matches are alternatives.' },
);

const CORS = section(
	{
		allowOrigins: z
			.array(text('An origin.'))
			.meta({
				description: 'Origins that may call: exact, `*`, or with a wildcard host; scheme and port count.',
				default: [],
			})
			.optional(),
		allowMethods: z
			.array(text('A method.'))
			.meta({ description: 'Methods allowed in a preflight.', default: [] })
			.optional(),
		allowHeaders: z
			.array(text('A header.'))
			.meta({ description: 'Headers allowed in a preflight.', default: [] })
			.optional(),
		exposeHeaders: z
			.array(text('A header.'))
			.meta({ description: 'Response headers that the page may read.', default: [] })
			.optional(),
		allowCredentials: flag('Whether cookies and authorization may be sent.', false),
		maxAge: duration('How long a browser may keep the preflight answer.').optional(),
	},
	{ id: 'cors', description: 'Cross-origin rules for browsers.' },
);

/** Policies of a route, and of top-level `mcp`. */
export const ROUTE_POLICIES = section(
	{ cors: CORS.optional() },
	{
		id: 'routePolicies',
		description: 'What happens to requests of this route.',
		known: known(
			'refuse',
			'requestHeaderModifier responseHeaderModifier requestRedirect urlRewrite requestMirror directResponse ' +
				'localRateLimit remoteRateLimit jwtAuth basicAuth apiKey authorization extAuthz extProc transformations csrf ' +
				'buffer timeout retry delay oidc mcpAuthentication mcpAuthorization mcpGuardrails a2a ai ' +
				'backendTLS backendAuth backendTunnel',
		),
	},
);

const BACKEND_POLICIES = section(
	{},
	{
		id: 'backendPolicies',
		description: 'Policies of one backend.',
		known: known(
			'refuse',
			'requestHeaderModifier transformations backendTLS backendAuth http tcp backendTunnel responseHeaderModifier ' +
				'requestRedirect extAuthz authorization mcpAuthorization mcpGuardrails a2a health sessionAffinity inferenceRouting ai',
		),
	},
);

const ROUTE_BACKEND = section(
	{
		mcp: MCP_BACKEND.optional(),
		backend: text('Name of a top-level backend, with or without a leading slash.').optional(),
		weight: z
			.number()
			.int({ error: 'a weight is a whole number' })
			.min(0, { error: 'a weight is not negative' })
			.meta({ description: 'Share of the requests, relative to the other backends.', default: 1 })
			.optional(),
		policies: BACKEND_POLICIES.optional(),
	},
	{
		id: 'routeBackend',
		description: 'Where requests go.',
		oneOf: ['mcp', 'backend', 'host', 'dynamic', 'internal', 'routeGroup', 'service', 'ai', 'aws', 'invalid'],
		known: known('refuse', 'host dynamic internal routeGroup service ai aws invalid'),
	},
);

/** The keys of a route. */
const ROUTE_FIELDS = {
	name: text('Name; unique on its listener. Default: `route<index>`.').optional(),
	namespace: text('Namespace of the name. Default: `default`.').optional(),
	ruleName: text('Shown as route_rule in metrics and logs.').optional(),
	hostnames: z
		.array(hostname('A host name.'))
		.meta({ description: 'Host names, exact or `*.suffix`; empty: those of the listener.', default: [] })
		.optional(),
	matches: z
		.array(MATCH)
		.meta({
			description: 'Which requests; any one match is enough. Default: all.',
			default: [{ path: { pathPrefix: '/' } }],
		})
		.optional(),
	policies: ROUTE_POLICIES.optional(),
	backends: z
		.array(ROUTE_BACKEND)
		.meta({ description: 'Where requests go, chosen by weight.', default: [] })
		.optional(),
};

/** A route under a listener. */
export const ROUTE = section(ROUTE_FIELDS, { id: 'route', description: 'Which requests go where.' });

/** A top-level route, which names its gateways. */
export const GATEWAY_ROUTE = section(
	{
		...ROUTE_FIELDS,
		gateways: gatewayReferences('`gateway` or `gateway/listener`, one or a list. Default: the gateway `default`.'),
	},
	{ id: 'gatewayRoute', description: 'A route that is attached to gateways.' },
);

/** A top-level backend, used by name. */
export const NAMED_BACKEND = section(
	{
		name: text('Name under which routes use it.'),
		mcp: MCP_BACKEND.optional(),
		policies: BACKEND_POLICIES.optional(),
	},
	{
		id: 'namedBackend',
		description: 'A backend that routes use by name.',
		oneOf: ['mcp', 'host', 'internal', 'ai', 'aws'],
		known: known('refuse', 'host internal ai aws'),
	},
);

/** A route as written. */
export type WrittenRoute = z.infer<typeof ROUTE>;
/** A top-level route as written. */
export type WrittenGatewayRoute = z.infer<typeof GATEWAY_ROUTE>;
/** Route policies as written. */
export type WrittenPolicies = z.infer<typeof ROUTE_POLICIES>;
/** A match as written. */
export type WrittenMatch = z.infer<typeof MATCH>;
