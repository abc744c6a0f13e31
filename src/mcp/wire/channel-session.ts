import type { Facts } from '../../facts/facts.ts';
import type { HeldBytes } from '../../http/held-bytes.ts';
import { cutText } from '../../lib/cut.ts';
import { code, mcpError } from '../errors.ts';
import type { Caller, Result } from '../model.ts';
import type { Session, SessionStream } from '../sessions/session.ts';
import type { Envelope } from './envelope.ts';
import { legacyCodec } from './legacy-codec.ts';
import { chooseVersion, type LegacyDialogue } from './legacy-dialogue.ts';
import { CallReply } from './reply.ts';
import type { SharedChannel } from './shared-channel.ts';

export interface ChannelSessionOptions {
	readonly channel: SharedChannel;
	/** Where what belongs to no call goes. */
	readonly stream: SessionStream;
	readonly dialogue: LegacyDialogue;
	/** Opens the session; null when there are too many. */
	open(caller: Caller, protocolVersion: string): Session | null;
	/** Ends the session and what it holds. */
	end(session: Session): void;
}

/** The session of a client that has one channel for everything, and so needs no id to be known by. */
export class ChannelSession {
	private readonly options: ChannelSessionOptions;
	private session: Session | null = null;

	constructor(options: ChannelSessionOptions) {
		this.options = options;
	}

	get opened(): boolean {
		return this.session !== null;
	}

	/** Takes any message of the client; answers come on the channel. `body` is released when the message is done with. */
	take(envelope: Envelope, facts: Facts, body: HeldBytes | null = null): void {
		const { session } = this;
		const { dialogue, channel } = this.options;
		facts.mcpMethod = cutText(envelope.method);
		if (envelope.kind === 'request' && envelope.id !== null) {
			if (envelope.method === 'initialize') return this.initialize(envelope, envelope.id, facts, body);
			const part = channel.part(envelope.id, facts, body);
			if (session !== null) return dialogue.request(envelope, session, part, facts);
			const reply = new CallReply(part, envelope.id, null, legacyCodec, facts, null);
			if (envelope.method === 'ping') reply.done(emptyResult);
			else reply.fail(mcpError(code.invalidRequest, 'no session is open; send initialize first'));
			return;
		}
		if (session !== null && envelope.kind === 'response') dialogue.response(envelope, session, body);
		else if (session !== null) {
			if (envelope.method === 'notifications/cancelled') silence(envelope, channel);
			dialogue.notification(envelope, session, body);
		}
		body?.release();
	}

	/** Nobody will answer what servers ask. */
	deaf(): void {
		this.session?.asks.close();
	}

	/** Takes back every call of the session. */
	cancelAll(reason: string): void {
		for (const call of this.session?.calls.all() ?? []) call.cancel(reason);
	}

	/** Ends the session, if one is open. */
	close(): void {
		const { session } = this;
		this.session = null;
		if (session !== null) this.options.end(session);
	}

	private initialize(envelope: Envelope, id: Buffer, facts: Facts, body: HeldBytes | null): void {
		const { channel, dialogue, stream } = this.options;
		const reply = new CallReply(channel.part(id, facts, body), id, null, legacyCodec, facts, null);
		if (this.session !== null) {
			return reply.fail(mcpError(code.invalidRequest, 'initialize comes once, and has come already'));
		}
		const version = chooseVersion(envelope);
		const session = this.options.open(this.options.dialogue.openedBy(envelope), version);
		if (session === null) return reply.fail(mcpError(code.internal, 'too many sessions are open'));
		this.session = session;
		dialogue.greet(session.connections, version, (answer) => {
			if ('code' in answer) {
				reply.fail(answer);
				if (this.session === session) this.close();
				return;
			}
			reply.done(answer);
			// Nothing may come before the answer to `initialize`.
			if (this.session === session) session.attach(stream);
		});
	}
}

/** A call that its client takes back gets no response ("Cancellation"). */
export function silence(envelope: Envelope, channel: SharedChannel): string | null {
	const { members, text } = envelope.params;
	const member = members?.find(({ key }) => key === 'requestId');
	if (member === undefined) return null;
	const key = text.toString('latin1', member.start, member.end);
	channel.find(key)?.silence();
	return key;
}

const emptyResult: Result = { text: Buffer.from('{}'), type: 'complete', stamped: false };
