import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { known, section } from './section.ts';
import { address, duration, flag, text, word } from './values.ts';

const LOG_LEVEL = z
	.union([z.string(), z.array(z.string())], { error: 'expected a level such as "info", or a list of them' })
	.meta({ description: 'RUST_LOG syntax: `info`, `warn,agentgateway::mcp=debug`; text or list.', default: 'info' })
	.optional();

/** The `config:` section. */
export const SETTINGS = section(
	{
		adminAddr: address('Admin API and UI. Environment: ADMIN_ADDR.', 'localhost:15000'),
		statsAddr: address('Metrics. Environment: STATS_ADDR.', '[::]:15020'),
		readinessAddr: address('Readiness. Environment: READINESS_ADDR.', '[::]:15021'),
		enableIpv6: flag('Listen on IPv6 too. Environment: IPV6_ENABLED.', true),
		session: section(
			{
				key: z
					.string()
					.refine((value) => /^[0-9a-fA-F]{64}$/.test(value), {
						error: 'must be 64 hex characters; make one with: openssl rand -hex 32',
					})
					.describe(
						'64 hex characters that seal session ids; without it they end with the process. Environment: SESSION_KEY.',
					)
					.optional(),
			},
			{ id: 'sessionSettings', description: 'Sessions of MCP clients.' },
		).optional(),
		mcp: section(
			{
				sessionTtl: duration('How long an idle MCP session lives.', '30m').optional(),
				targetStartTimeout: duration(
					'How long a new session waits for its targets before it opens without the late ones. Not in agentgateway.',
					'10s',
				).optional(),
				limits: LIMITS.optional(),
			},
			{ id: 'mcpSettings', description: 'MCP sessions and targets.' },
		).optional(),
		logging: section(
			{
				level: LOG_LEVEL,
				format: word('Environment: LOG_FORMAT.', ['text', 'json'], { default: 'text' }),
			},
			{
				id: 'logging',
				description: 'What is logged and how. Environment: RUST_LOG, LOG_FORMAT.',
				known: known('warn', 'filter fields database'),
			},
		).optional(),
		connectionTerminationDeadline: duration(
			'How long running requests may go on after SIGTERM. Environment: CONNECTION_TERMINATION_DEADLINE.',
			'5s',
		).optional(),
		connectionMinTerminationDeadline: duration(
			'How long a connection on which nothing happens stays open after SIGTERM for a request that is on its way: at ' +
				'least 50 ms, under load 250, at most `connectionTerminationDeadline`. The gateway ends before, when all its ' +
				'connections have. Environment: CONNECTION_MIN_TERMINATION_DEADLINE.',
			'0s',
		).optional(),
		publicUrl: z
			.string()
			.refine(isHttpUrl, { error: 'not an http or https URL; write it as https://mcp.example.com' })
			.describe('URL under which clients reach the gateway through a proxy. Not in agentgateway.')
			.optional(),
		allowedHosts: z
			.array(text('A Host value, such as mcp.example.com or mcp.example.com:8443.'))
			.meta({ description: 'Further Host values accepted over loopback. Not in agentgateway.', default: [] })
			.optional(),
	},
	{
		id: 'settings',
		description: 'Settings of the process, read at start only. Environment variables win.',
		known: {
			...known(
				'warn',
				'dns metrics tracing histograms backend customFunctions workerThreads standardAttributes database storage modelCatalog ' +
					'spiffe xdsAddress xdsAuthToken caAddress caAuthToken namespace gateway trustDomain additionalTrustDomains ' +
					'skipValidateTrustDomain serviceAccount clusterId network hbone',
			),
			...known('refuse', 'sensitiveHeaders localXdsPath'),
			...known('moved', 'listener', 'agentgateway replaced it by frontendPolicies'),
		},
	},
);

function isHttpUrl(value: string): boolean {
	return /^https?:\/\/[^/]/i.test(value) && URL.canParse(value);
}

/** The `config:` section as written. */
export type WrittenSettings = z.infer<typeof SETTINGS>;
