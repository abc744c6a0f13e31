import { type Look, type Member, type ScanFault, type Scanned, scanJson } from '../../../lib/json-scan.ts';

const look: Look = { params: { _meta: {} }, result: {}, error: {} };
const batchLook: Look = { '[]': look };
/** Each item of a larger batch would be recorded: a few bytes of JSON cost a hundred of memory. */
const maximumBatchBytes = 1024 * 1024;
/** Members of a message, its params, its result and the messages of a batch; no message needs more. */
const maximumMembers = 10_000;

/** Checks a message of a server, or a batch of them. A byte order mark in front is no part of it. */
export function scanMessage(text: Buffer): Scanned | ScanFault {
	const marked = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf;
	const bare = marked ? text.subarray(3) : text;
	const batch = bare.length <= maximumBatchBytes && opensArray(bare);
	return scanJson(bare, batch ? batchLook : look, maximumMembers);
}

/** The messages of a batch, which servers of 2025-03-26 may answer with; null when it is a single one, or none. */
export function messagesOf(scanned: Scanned): readonly Scanned[] | null {
	const { text, start, members } = scanned;
	if (text[start] !== 0x5b || members === null) return null;
	return members.map((item) => ({ text, start: item.start, end: item.end, members: objectMembers(text, item) }));
}

/** Whether it is an object: the only thing that a message can be. */
export function isMessage(scanned: Scanned): boolean {
	return scanned.members !== null && scanned.text[scanned.start] === 0x7b;
}

/** A member of a message's envelope. */
export function envelopeMember({ members }: Scanned, key: string): Member | undefined {
	if (members !== null) for (const member of members) if (member.key === key) return member;
	return undefined;
}

function objectMembers(text: Buffer, item: Member): readonly Member[] | null {
	return text[item.start] === 0x7b ? item.members : null;
}

function opensArray(text: Buffer): boolean {
	for (let at = 0; at < text.length; at++) {
		const byte = text[at];
		if (byte === 0x5b) return true;
		if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
	}
	return false;
}
