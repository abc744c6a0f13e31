import * as z from 'zod';
import { isTargetName, targetNameFault } from '../target-name.ts';
import { CURATION_FIELDS } from './curation.ts';
import { known, section } from './section.ts';
import { count, duration, flag, port, positiveDuration, text, urlPath, word } from './values.ts';

const TARGET_POLICIES = section(
	{},
	{
		id: 'targetPolicies',
		description: 'Policies of one target.',
		known: {
			...known('refuse', 'requestHeaderModifier transformations backendTLS backendAuth http tcp backendTunnel'),
			...known('moved', 'mcpAuthorization mcpGuardrails', 'agentgateway removed it from targets in 1.4'),
			...known('moved', 'health requestRedirect responseHeaderModifier', 'agentgateway removed it from targets in 1.2'),
			...known('moved', 'a2a', 'agentgateway removed it from targets in 1.0'),
		},
	},
);

const CALL_FIELDS = {
	callTimeout: duration(
		'A call without any sign of life for so long (answer, progress or another message of its own) is given up; the ' +
			'time in which its client is asked something does not count. `0` never gives up. Not in agentgateway.',
		'1h',
	).optional(),
	maxConcurrentCalls: count(
		'Calls under way at this target at once, of all clients. Four times as many wait for their turn, up to 30 s; more ' +
			'are refused with 429 and Retry-After. When not written, there is no limit. Not in agentgateway.',
		undefined,
	),
};

const STDIO = section(
	{
		cmd: text('The program to start: a name found on PATH, or a path.'),
		args: z.array(z.string()).meta({ description: 'Its arguments.', default: [] }).optional(),
		env: z
			.record(z.string(), z.string())
			.meta({ description: 'Environment variables, added to the gateway’s own.', default: {} })
			.optional(),
		clear_env: flag('Start with an empty environment, apart from `env`.', false),
		cwd: text(
			'Folder that the program runs in, relative to the working directory of the gateway; a `cmd` with a slash is ' +
				'relative to it. When not written, the working directory of the gateway. Not in agentgateway.',
		).optional(),
		startTimeout: positiveDuration(
			'How long the program may take from its start until it has answered the handshake; then it is ended. A command ' +
				'that downloads itself first may need more. Not in agentgateway.',
			'2m',
			noStart('2m'),
		).optional(),
		idleTimeout: positiveDuration(
			'A process that had no call for so long is ended; the next call of its session starts it again. When not ' +
				'written, a process lasts as long as its session. Not in agentgateway.',
			undefined,
			'the process would end after each call; leave it out to keep the process as long as its session, or write 5m',
		).optional(),
		maxProcesses: count(
			'Processes of this target at once, the spare one included; more are refused until one ends. When not written, ' +
				'only `config.mcp.limits.maxProcesses` holds. Not in agentgateway.',
			undefined,
		),
		prewarm: flag(
			'Keep one process in reserve, started but not greeted yet, so that opening a session does not wait for a start. ' +
				'Not in agentgateway.',
			false,
		),
		sharing: word(
			'Who shares a process: nobody beyond its session, the sessions of one principal, or all. Servers without a ' +
				'handshake keep nothing between calls and are always shared by all. Not in agentgateway.',
			['session', 'principal', 'all'],
			{ default: 'session' },
		),
		...CALL_FIELDS,
	},
	{
		id: 'stdioTarget',
		description: 'A server that is started as a child process and speaks over its stdin and stdout.',
	},
);

const REMOTE_FIELDS = {
	host: text(
		'A URL such as `https://example.com/mcp` (path as written), or `host:port` without scheme (plain HTTP, default path). ' +
			'With `port` and `path`: the host alone.',
	).optional(),
	port: port('The port; needs `host` and `path`.').optional(),
	path: urlPath('The path; needs `host` and `port`, or `backend`.').optional(),
	backend: text('Name of a top-level backend; needs `path`. Not supported by this version.').optional(),
};

const TIMED_FIELDS = {
	...REMOTE_FIELDS,
	startTimeout: positiveDuration(
		'How long connecting and the handshake may take together. Not in agentgateway.',
		'30s',
		noStart('30s'),
	).optional(),
	...CALL_FIELDS,
};

const REMOTE = section(TIMED_FIELDS, {
	id: 'mcpTarget',
	description: 'A server over Streamable HTTP. The default path is `/mcp`.',
});
const SSE = section(TIMED_FIELDS, {
	id: 'sseTarget',
	description: 'A server over the old HTTP+SSE transport. The default path is `/sse`.',
});
const FILE_OR_URL = section(
	{
		file: text('Path of the document, relative to the working directory.').optional(),
		url: text('URL of the document.').optional(),
	},
	{ description: 'Where the OpenAPI document is.', oneOf: ['file', 'url'] },
);
const OPENAPI = section(
	{
		...REMOTE_FIELDS,
		schema: z
			.union([z.string(), FILE_OR_URL], {
				error: 'expected the OpenAPI document as text, or a mapping with file or url',
			})
			.describe('The OpenAPI document: inline text, `{file}` or `{url}`.'),
	},
	{ id: 'openapiTarget', description: 'A REST API whose operations become tools. Not supported by this version.' },
);

const TARGET = section(
	{
		name: z
			.string()
			.refine(isTargetName, { error: ({ input }) => targetNameFault(String(input)) })
			.describe('Unique within the backend; becomes the prefix of its tools. Lowercase letters, digits, `-` and `.`.'),
		stdio: STDIO.optional(),
		mcp: REMOTE.optional(),
		sse: SSE.optional(),
		openapi: OPENAPI.optional(),
		...CURATION_FIELDS,
		policies: TARGET_POLICIES.optional(),
	},
	{ id: 'target', description: 'One MCP server.', oneOf: ['stdio', 'mcp', 'sse', 'openapi'] },
);

function noStart(usual: string): string {
	return `no start would succeed; leave it out for ${usual}, or write more, such as 10m`;
}

/** The keys of an MCP backend, which top-level `mcp` shares. */
export const MCP_FIELDS = {
	targets: z
		.array(TARGET)
		.min(1, { error: 'needs at least one target' })
		.describe('The MCP servers behind this backend.'),
	statefulMode: word('Whether sessions are kept between requests.', ['stateful', 'stateless'], { default: 'stateful' }),
	prefixMode: word(
		'Whether names carry the prefix `target_`: with more than one target, always or never.',
		['conditional', 'always', 'never'],
		{ default: 'conditional' },
	),
	nameStyle: word(
		'`strict` keeps the names of tools and prompts within `[a-zA-Z0-9_-]{1,64}`, for clients that refuse others: what has ' +
			'to be changed or cut ends in eight digits of a digest.',
		['relaxed', 'strict'],
		{ default: 'relaxed' },
	),
	failureMode: word(
		'What a target that is away means. When not written, the others go on and it joins later; `failOpen` skips it, ' +
			'`failClosed` fails the session.',
		['failClosed', 'failOpen'],
	),
	dnsRebindingProtection: z
		.boolean()
		.describe('Accept only local Host and Origin values. When not written, what arrives over loopback is checked.')
		.optional(),
};

/** `mcp:` of a route's backend, or of a top-level backend. */
export const MCP_BACKEND = section(MCP_FIELDS, { id: 'mcpBackend', description: 'One or more MCP servers as one.' });

/** A target as written. */
export type WrittenTarget = z.infer<typeof TARGET>;
/** A target that is started, as written. */
export type WrittenStdio = z.infer<typeof STDIO>;
/** Host, port and path of a remote target as written. */
export type WrittenRemote = Omit<z.infer<typeof REMOTE>, keyof typeof CALL_FIELDS | 'startTimeout'>;
/** An MCP backend as written. */
export type WrittenMcpBackend = z.infer<typeof MCP_BACKEND>;
