import type * as z from 'zod';
import { section } from './section.ts';
import { count, duration, size } from './values.ts';

/** The `config.mcp.limits` section. Its defaults are those of `expand/limits.ts`. */
export const LIMITS = section(
	{
		maxBodySize: size('Largest body of a request from a client; a larger one is refused with 413.', '4MiB'),
		maxResultSize: size(
			'Largest answer of a target over HTTP, and largest list of any; the call with a larger one fails.',
			'64MiB',
		),
		maxLineSize: size(
			'Longest line of a stdio target, and so its largest answer; a longer one ends the process, which is started again.',
			'16MiB',
		),
		maxCallsPerSession: count('Calls under way in one session; more are refused with 429.', 1000),
		maxListItems: count('Items taken of one list of a target; the rest is left out, with a warning.', 10_000),
		maxListPages: count('Pages taken of one list of a target; the rest is left out, with a warning.', 100),
		maxStreamEvents: count('Events that wait on one stream for a client that reads slowly; more end it.', 1000),
		maxStreamBytes: size('Size of the events that wait on one stream; more end it.', '1MiB'),
		replayEvents: count('Events that a session keeps for a client that resumes a stream; 0 keeps none.', 1000, 0),
		replayBytes: size('Size of the events that a session keeps for a client that resumes a stream.', '4MiB'),
		maxIdBytes: count('Longest id of a request, in bytes of its JSON.', 256),
		maxBatch: count('Messages in one batch.', 50),
		maxSessions: count('Sessions of one backend at once; more are refused with 503.', 10_000),
		maxPooledSessions: count(
			'Sessions at one target that clients without a session of their own share; calls that need one for themselves may ' +
				'open twice as many more. A quarter is not lent to streams that listen.',
			32,
		),
		maxProcesses: count('Child processes of all stdio targets at once; more are refused until one ends.', 1000),
		maxProcessesPerPrincipal: count(
			'Child processes that one principal may hold at once. Clients that have not said who they are count as one. When ' +
				'not written, there is no such limit.',
			undefined,
		),
		vanishedTimeout: duration(
			'How long a session with child processes lives on after its client has closed all its streams and calls nothing. ' +
				'Clients that never open a stream keep the session for `sessionTtl`.',
			'2m',
		).optional(),
		parkTimeout: duration(
			'How long a call waits for answers that its client brings with a further request.',
			'5m',
		).optional(),
	},
	{
		id: 'mcpLimits',
		description:
			'What one client or one target can make the gateway hold. Sizes are bytes, or text with KiB, MiB or GiB, up to ' +
			'1 GiB. Not in agentgateway.',
	},
);

/** The section as written. */
export type WrittenLimits = z.infer<typeof LIMITS>;
