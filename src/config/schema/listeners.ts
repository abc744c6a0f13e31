import * as z from 'zod';
import { ROUTE } from './route.ts';
import { known, section } from './section.ts';
import { hostname, port, text, word } from './values.ts';

const GATEWAY_PHASE = 'oidc jwtAuth basicAuth apiKey extAuthz authorization extProc cors transformations';

const protocol = word('What the listener speaks.', ['HTTP'], {
	default: 'HTTP',
	unsupported: ['HTTPS', 'TLS', 'TCP', 'HBONE'],
});

const LISTENER = section(
	{
		name: text('Name; unique on its bind. Default: `listener<index>`.').optional(),
		namespace: text('Namespace of the name.').optional(),
		hostname: hostname('Requests for this host only: exact or `*.suffix`. Default: all.').optional(),
		protocol,
		routes: z.array(ROUTE).meta({ description: 'The routes of this listener.', default: [] }).optional(),
		policies: section(
			{},
			{
				id: 'listenerPolicies',
				description: 'Policies before the choice of a route.',
				known: known('refuse', GATEWAY_PHASE),
			},
		).optional(),
	},
	{
		id: 'listener',
		description: 'Requests for one host name, or for all.',
		known: {
			...known('refuse', 'tls tcpRoutes'),
			...known('moved', 'gatewayName', 'agentgateway removed it in 0.12'),
		},
	},
);

/** One entry of `binds`. */
export const BIND = section(
	{
		port: port('The port to listen on.'),
		listeners: z.array(LISTENER).describe('Who answers on this port, by host name.'),
		tunnelProtocol: word('What stands in front of the HTTP.', ['direct'], {
			default: 'direct',
			unsupported: ['proxy', 'connect', 'hboneWaypoint', 'hboneGateway'],
		}),
		mode: word('Whether a socket is opened.', ['standard'], { default: 'standard', unsupported: ['internal'] }),
	},
	{ id: 'bind', description: 'A port and its listeners.' },
);

const GATEWAY_LISTENER = section(
	{
		name: text('Name, for references such as `gateway/name`. Default: `listener<index>`.').optional(),
		hostname: hostname('Requests for this host only: exact or `*.suffix`. Default: all.').optional(),
		protocol,
	},
	{ id: 'gatewayListener', description: 'A listener of a gateway.', known: known('refuse', `tls ${GATEWAY_PHASE}`) },
);

/** One entry of `gateways`. */
export const GATEWAY = section(
	{
		port: port('The port to listen on; one owner per port.'),
		protocol,
		listeners: z
			.array(GATEWAY_LISTENER)
			.min(1, { error: 'needs at least one listener; leave it out for a single one' })
			.describe('Listeners by host name. The gateway itself then sets only `port`.')
			.optional(),
	},
	{ id: 'gateway', description: 'A named port that routes refer to.', known: known('refuse', `tls ${GATEWAY_PHASE}`) },
);

/** A bind as written. */
export type WrittenBind = z.infer<typeof BIND>;
/** A gateway as written. */
export type WrittenGateway = z.infer<typeof GATEWAY>;
