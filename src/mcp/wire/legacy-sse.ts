import { randomBytes } from 'node:crypto';
import type { Exchange, Expiring, ReplyStream } from '../../http/exchange.ts';
import type { Facts } from '../../facts/facts.ts';
import type { HeldBytes } from '../../http/held-bytes.ts';
import { cutText } from '../../lib/cut.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import { inSlices } from '../../lib/in-slices.ts';
import { code, mcpError, stopping } from '../errors.ts';
import { errorResponse } from '../rpc-text.ts';
import type { SessionStream } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { ChannelSession } from './channel-session.ts';
import type { Envelope } from './envelope.ts';
import { eventOf, keepAlive, keepAliveMs, streamHeaders } from './event-stream.ts';
import type { LegacyDialogue } from './legacy-dialogue.ts';
import { type ChannelLimits, type ChannelOutput, SharedChannel } from './shared-channel.ts';

export interface SseOptions {
	/** null: `statefulMode: stateless`, no sessions. */
	readonly sessions: Sessions | null;
	readonly heartbeat: Heartbeat;
	readonly dialogue: LegacyDialogue;
	/** More streams at once are refused with 503. */
	readonly maximum: number;
	/** What waits for one client. */
	readonly limits: ChannelLimits;
}

/** The one path on which clients of this transport are served. */
export const ssePath = '/sse';

/**
 * Serves clients of HTTP+SSE, the transport of 2024-11-05: a GET opens the stream on which everything comes, its first
 * event says where to post. The stream is the session; when it closes, everything that hangs on it ends.
 */
export class SseFrontend {
	private readonly options: SseOptions;
	private readonly streams = new Map<string, SseStream>();
	private stopping = false;

	constructor(options: SseOptions) {
		this.options = options;
	}

	get(exchange: Exchange): void {
		const { sessions, maximum } = this.options;
		if (sessions === null) return refuseStateless(exchange);
		if (this.stopping) return refuseStopping(exchange, null);
		if (this.streams.size >= maximum) {
			return refuse(exchange, 503, null, 'too many streams are open', code.internal);
		}
		const id = randomBytes(idBytes).toString('base64url');
		const stream = new SseStream(id, sessions, this.options, () => this.streams.delete(id));
		this.streams.set(id, stream);
		stream.start(exchange);
	}

	post(exchange: Exchange, envelope: Envelope): void {
		if (this.options.sessions === null) return refuseStateless(exchange);
		const id = new URLSearchParams(exchange.query).get('sessionId');
		if (id === null || !idForm.test(id)) {
			const what = id === null ? 'missing' : 'malformed';
			return refuse(exchange, 400, envelope.id, `the sessionId of the query is ${what}; open a stream with GET first`);
		}
		const stream = this.streams.get(id);
		if (stream === undefined && this.stopping) return refuseStopping(exchange, envelope.id);
		if (stream === undefined) {
			return refuse(exchange, 404, envelope.id, 'the stream of this sessionId is not open; open one with GET');
		}
		exchange.facts.mcpSession = id.slice(0, 8);
		// The answer comes on the stream: the message is kept when its own exchange is long over.
		const body = exchange.keepBody();
		try {
			stream.take(envelope, exchange.facts, body);
		} catch (fault) {
			body.release();
			throw fault;
		}
		exchange.respond(202, [], null);
	}

	/** Ends all streams, those with calls under way after the last response. */
	async endStreams(): Promise<void> {
		this.stopping = true;
		await inSlices([...this.streams.values()], (stream) => stream.end());
	}
}

/** The stream of one client, and so its session. */
class SseStream implements ChannelOutput, SessionStream, Beating, Expiring {
	slot = -1;
	private readonly id: string;
	private readonly heartbeat: Heartbeat;
	private readonly closed: () => void;
	private readonly channel: SharedChannel;
	private readonly session: ChannelSession;
	private reply: ReplyStream | null = null;
	private lastWrite = performance.now();
	private over = false;

	constructor(id: string, sessions: Sessions, { heartbeat, dialogue, limits }: SseOptions, closed: () => void) {
		this.id = id;
		this.channel = new SharedChannel(this, limits);
		this.heartbeat = heartbeat;
		this.closed = closed;
		this.session = new ChannelSession({
			channel: this.channel,
			stream: this,
			dialogue,
			open: (caller, version) => sessions.open(caller, version),
			end: (session) => sessions.end(session),
		});
	}

	start(exchange: Exchange): void {
		exchange.facts.mcpSession = this.id.slice(0, 8);
		this.reply = exchange.stream(200, streamHeaders);
		this.reply.onDrain(() => this.channel.drained());
		this.reply.write(`event: endpoint\ndata: ${endpointUri(exchange, this.id)}\n\n`);
		this.heartbeat.add(this);
		exchange.onGone(() => this.stop());
		exchange.expiring = this;
	}

	take(envelope: Envelope, facts: Facts, body: HeldBytes): void {
		this.session.take(envelope, facts, body);
	}

	write(message: Buffer): boolean {
		this.lastWrite = performance.now();
		return this.reply?.write(eventOf(message)) ?? true;
	}

	/** What waits for this client is as much as may wait. */
	overflow(): void {
		this.stop();
	}

	ended(): void {}

	send(message: Buffer): void {
		this.channel.send(message);
	}

	/** Ends the stream once every call has its response. */
	end(): void {
		this.channel.onIdle(() => this.stop());
	}

	expire(): void {
		this.channel.stopAll();
		this.stop();
	}

	beat(now: number): void {
		if (now - this.lastWrite < keepAliveMs) return;
		this.lastWrite = now;
		this.reply?.write(keepAlive);
	}

	/** The stream is over, and with it the session: nobody could be told of anything any more. */
	private stop(): void {
		if (this.over) return;
		this.over = true;
		this.heartbeat.remove(this);
		this.closed();
		this.channel.close();
		this.session.close();
		this.reply?.end();
	}
}

const idBytes = 24;
const idForm = /^[A-Za-z0-9_-]{32}$/;

/** Without host, so that it is right behind a proxy, too. What the client put into the query comes back with each POST. */
function endpointUri({ path, query }: Exchange, id: string): string {
	const kept = query.split('&').filter((part) => part !== '' && !part.startsWith('sessionId='));
	return `${path}?${[...kept, `sessionId=${id}`].join('&')}`;
}

function refuseStateless(exchange: Exchange): void {
	const message =
		'HTTP+SSE needs sessions, and this backend keeps none (statefulMode: stateless); use Streamable HTTP.\n';
	exchange.respond(405, ['allow', '', 'content-type', 'text/plain'], message);
}

function refuse(
	exchange: Exchange,
	status: number,
	id: Buffer | null,
	message: string,
	errorCode: number = code.invalidRequest,
	headers: readonly string[] = [],
): void {
	exchange.facts.mcpErrorCode = errorCode;
	exchange.facts.mcpErrorMessage = cutText(message);
	exchange.facts.reason = 'MCP';
	const type = ['content-type', 'application/json'];
	exchange.respond(status, [...type, ...headers], errorResponse(id, mcpError(errorCode, message)));
}

function refuseStopping(exchange: Exchange, id: Buffer | null): void {
	refuse(exchange, 503, id, stopping.message, stopping.code, ['retry-after', '5']);
}
