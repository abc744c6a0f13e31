import { decodeString, type Member } from '../../lib/json-scan.ts';
import { interactive } from '../interactive.ts';
import type { Caller } from '../model.ts';
import type { Envelope } from './envelope.ts';

/** The principal of who has not said who he is. */
export const anonymous = 'anonymous';

/** Reserved members of `params._meta`: they describe the client's connection and end here. */
export const metaKeys = {
	version: 'io.modelcontextprotocol/protocolVersion',
	clientInfo: 'io.modelcontextprotocol/clientInfo',
	capabilities: 'io.modelcontextprotocol/clientCapabilities',
	logLevel: 'io.modelcontextprotocol/logLevel',
} as const;

/**
 * Reads who asks from `params._meta`. A client says the same with each request, so the caller that was read last is
 * handed out again while the bytes are the same; what is kept per caller is then found by identity.
 */
export class Callers {
	private last: Caller = {
		principal: anonymous,
		clientInfo: null,
		capabilities: Buffer.from('{}'),
		logLevel: null,
		handshake: false,
		interactive: false,
	};

	private lastPeer = '';

	/** `peer` is the address that the request came from. */
	of(envelope: Envelope, peer: string): Caller {
		const info = objectIn(envelope, metaKeys.clientInfo);
		const capabilities = objectIn(envelope, metaKeys.capabilities);
		const logLevel = metaString(envelope, metaKeys.logLevel);
		const { last } = this;
		const { text } = envelope.params;
		const same =
			capabilities !== null &&
			logLevel === last.logLevel &&
			holds(text, capabilities, last.capabilities) &&
			(info === null ? last.clientInfo === null : last.clientInfo !== null && holds(text, info, last.clientInfo));
		if (same && (!last.interactive || peer === this.lastPeer)) return last;
		const copy = (member: Member) => Buffer.from(text.subarray(member.start, member.end));
		const declared = capabilities === null ? Buffer.from('{}') : copy(capabilities);
		const asked = interactive(declared);
		this.lastPeer = peer;
		this.last = {
			// Who is asked has a say in what a server does, such as by its roots: strangers do not share connections then.
			principal: asked ? `${anonymous} at ${loopback.test(peer) ? 'loopback' : peer}` : anonymous,
			clientInfo: info === null ? null : copy(info),
			capabilities: declared,
			logLevel,
			handshake: false,
			interactive: asked,
		};
		return this.last;
	}
}

/** One client may come over either family. */
const loopback = /^(::ffff:)?127\.|^::1$/;

function holds(text: Buffer, { start, end }: Member, bytes: Buffer): boolean {
	return end - start === bytes.length && bytes.compare(text, start, end) === 0;
}

function objectIn(envelope: Envelope, key: string): Member | null {
	const member = envelope.meta.find((one) => one.key === key);
	return member !== undefined && envelope.params.text[member.start] === 0x7b ? member : null;
}

/** A text of `params._meta`; null when it is missing or no string. */
export function metaString(envelope: Envelope, key: string): string | null {
	const member = envelope.meta.find((one) => one.key === key);
	const text = envelope.params.text;
	return member !== undefined && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
}
