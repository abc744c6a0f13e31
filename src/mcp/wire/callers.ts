import { decodeString, type Member } from '../../lib/json-scan.ts';
import { interactive } from '../asks/interactive.ts';
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

	private lastHost = '';

	/** `peer` is the address and port that the request came from. */
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
		if (same && (!last.interactive || hostOf(peer) === this.lastHost)) return last;
		const copy = (member: Member) => Buffer.from(text.subarray(member.start, member.end));
		const declared = capabilities === null ? Buffer.from('{}') : copy(capabilities);
		const asked = interactive(declared);
		const host = hostOf(peer);
		this.lastHost = host;
		this.last = {
			// Who is asked has a say in what a server does, such as by its roots: strangers do not share connections then.
			principal: asked ? `${anonymous} at ${host}` : anonymous,
			clientInfo: info === null ? null : copy(info),
			capabilities: declared,
			logLevel,
			handshake: false,
			interactive: asked,
		};
		return this.last;
	}
}

/** A client takes another connection, and so another port, when it likes; on this machine, either family. */
function hostOf(peer: string): string {
	return loopback.test(peer) ? 'loopback' : peer.replace(/:\d+$/, '');
}

const loopback = /^(\[?::ffff:)?127\.|^\[?::1\]?(:\d+)?$/;

function holds(text: Buffer, { start, end }: Member, bytes: Buffer): boolean {
	return end - start === bytes.length && bytes.compare(text, start, end) === 0;
}

function objectIn(envelope: Envelope, key: string): Member | null {
	const member = metaMember(envelope, key);
	return member !== undefined && envelope.params.text[member.start] === 0x7b ? member : null;
}

/** A member of `params._meta`. */
export function metaMember(envelope: Envelope, key: string): Member | undefined {
	for (const member of envelope.meta) if (member.key === key) return member;
	return undefined;
}

/** A text of `params._meta`; null when it is missing or no string. */
export function metaString(envelope: Envelope, key: string): string | null {
	const member = metaMember(envelope, key);
	const text = envelope.params.text;
	return member !== undefined && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : null;
}
