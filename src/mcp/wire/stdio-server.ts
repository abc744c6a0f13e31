import type { Facts } from '../../facts/facts.ts';
import { cutText } from '../../lib/cut.ts';
import { code, mcpError, stopping } from '../errors.ts';
import type { Caller } from '../model.ts';
import { type Pool, PoolLease } from '../connections/pool.ts';
import { errorResponse } from '../rpc-text.ts';
import type { Session } from '../sessions/session.ts';
import { Callers } from './callers.ts';
import { ChannelSession, silence } from './channel-session.ts';
import { classify } from './classify.ts';
import { type Envelope, isEnvelopeFault, readEnvelope } from './envelope.ts';
import type { LegacyDialogue } from './legacy-dialogue.ts';
import { checkBody } from './modern-checks.ts';
import type { ModernDialogue } from './modern-dialogue.ts';
import { type ChannelLimits, type ChannelOutput, SharedChannel } from './shared-channel.ts';

/** What the one client of a stdio server is served with. */
export interface StdioParts {
	readonly legacy: LegacyDialogue;
	readonly modern: ModernDialogue;
	readonly pool: Pool;
	/** Longest id of a request, in bytes. */
	readonly maximumId: number;
	/** What waits for the client. */
	readonly limits: ChannelLimits;
	/** Opens the session of a client with a handshake. */
	open(caller: Caller, protocolVersion: string): Session;
}

/** The process around the server. */
export interface StdioHost extends ChannelOutput {
	/** What is known of a call before it is read. */
	facts(): Facts;
}

/**
 * Serves the one client of a stdio server: a message a line in, a message a line out, of both eras, each message by
 * itself. `initialize` opens the session of the process.
 */
export class StdioServer {
	private readonly parts: StdioParts;
	private readonly host: StdioHost;
	private readonly channel: SharedChannel;
	private readonly session: ChannelSession;
	private readonly callers = new Callers();
	/** Keeps the connections of a client without session open for as long as the client is there. */
	private kept: PoolLease | null = null;
	private stopping = false;
	private ending: Promise<void> = Promise.resolve();

	constructor(parts: StdioParts, host: StdioHost) {
		this.parts = parts;
		this.host = host;
		this.channel = new SharedChannel(host, parts.limits);
		this.session = new ChannelSession({
			channel: this.channel,
			stream: { send: (message) => this.channel.send(message), end() {} },
			dialogue: parts.legacy,
			open: (caller, version) => parts.open(caller, version),
			end: (session) => this.end(session),
		});
	}

	/** Sessions that are open: one, or none. */
	get openSessions(): number {
		return Number(this.session.opened);
	}

	/** Takes a line of stdin. */
	take(line: Buffer): void {
		const envelope = readEnvelope(line, this.parts.maximumId);
		if (isEnvelopeFault(envelope)) return this.refuse(envelope.id, envelope);
		const facts = this.host.facts();
		if (this.stopping && envelope.kind === 'request') return this.refuse(envelope.id, stopping);
		if (classify(envelope, null) === 'modern') return this.modern(envelope, facts);
		// A client without session takes its calls back by the same notification.
		if (envelope.method === 'notifications/cancelled') this.cancelled(envelope);
		this.session.take(envelope, facts);
	}

	/** Refuses what cannot be read as a message. */
	refuse(
		id: Buffer | null,
		fault: { readonly code: number; readonly message: string; readonly data?: Buffer | null },
	): void {
		const message = errorResponse(id, { ...mcpError(fault.code, fault.message), data: fault.data ?? null });
		// Who asks waits for it, however slowly he reads; what has no id is nobody's answer.
		if (id === null) this.channel.send(message);
		else this.channel.answer(message);
	}

	/** The queue in front of the client is empty. */
	drained(): void {
		this.channel.drained();
	}

	/** Takes back every call. */
	cancelAll(reason: string): void {
		this.channel.cancelAll(reason);
		this.session.cancelAll(reason);
	}

	/**
	 * Takes no further request, lets those under way end, and calls `then`. `deaf`: the client does not send any more
	 * either, so what servers ask is refused.
	 */
	finish(deaf: boolean, then: () => void): void {
		this.stopping = true;
		if (deaf) this.session.deaf();
		void this.parts.modern.endStreams();
		this.channel.onIdle(then);
	}

	/** Takes back what is left, and ends the session. Resolves when what it held is gone. */
	async close(): Promise<void> {
		this.stopping = true;
		this.channel.stopAll();
		// What has no response to come is taken back all the same.
		this.cancelAll(stopping.message);
		this.channel.close();
		this.session.close();
		this.kept?.release();
		this.kept = null;
		await this.ending;
	}

	private modern(envelope: Envelope, facts: Facts): void {
		const { id } = envelope;
		const fault = checkBody(envelope, null);
		if (envelope.kind !== 'request' || id === null) {
			if (fault === null && envelope.method === 'notifications/cancelled') this.cancelled(envelope);
			return;
		}
		facts.mcpMethod = cutText(envelope.method);
		if (fault !== null) return this.refuse(id, fault);
		if (this.channel.find(id.toString('latin1')) !== undefined) {
			return this.refuse(id, { code: code.invalidRequest, message: 'a request with this id is still open' });
		}
		this.kept ??= this.keep(envelope, facts);
		const part = this.channel.part(id, facts);
		part.follow(this.parts.modern.request({ envelope, id, mirrored: null }, part, facts));
	}

	/** The connections stay while the client does. */
	private keep(envelope: Envelope, { sourceAddress }: Facts): PoolLease | null {
		const lease = this.parts.pool.lease(this.callers.of(envelope, sourceAddress), false);
		return lease instanceof PoolLease ? lease : null;
	}

	private cancelled(envelope: Envelope): void {
		const id = silence(envelope, this.channel);
		if (id !== null) this.channel.find(id)?.cancel('the client took it back');
	}

	private end(session: Session): void {
		this.ending = session.close();
	}
}
