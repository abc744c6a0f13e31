import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import type { Result } from '../model.ts';
import type { ReplyCodec } from './reply.ts';

/** Members that newer servers put on results and that older clients do not know. */
const newerMembers: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope']);

/** Replies as clients with a handshake read them. */
export const legacyCodec: ReplyCodec = {
	result: (result: Result) => (result.stamped ? withoutMembers(result.text, newerMembers) : result.text),
	status: () => 200,
	error: (error) => error,
	cancelsWhenGone: false,
};

/** Takes members out of an object text, with the comma that goes with each. */
export function withoutMembers(object: Buffer, keys: ReadonlySet<string>): Buffer {
	const scanned = scanJson(object, {});
	if (isScanFault(scanned) || scanned.members === null) return object;
	const kept = scanned.members.filter((member) => !keys.has(member.key));
	if (kept.length === scanned.members.length) return object;
	const edits: Edit[] = [];
	let from = scanned.start + 1;
	kept.forEach((member, index) => {
		edits.push({ start: from, end: member.keyStart, text: index === 0 ? '' : ',' });
		from = member.end;
	});
	edits.push({ start: from, end: scanned.end - 1, text: '' });
	return splice(scanned.text, edits, scanned.start, scanned.end);
}
