import { isUtf8 } from 'node:buffer';

/** A response whose result nobody has looked into. */
export interface ResultFrame {
	/** The id of the request, a number, as the gateway's own are. */
	readonly id: number;
	/** Whether the first thing that the result says is `"resultType":"complete"`. */
	readonly complete: boolean;
	/** The result object in the pieces in which it came: UTF-8, without a line break. */
	readonly pieces: readonly Buffer[];
}

/** Shorter messages are scanned whole: what that costs is little, and it finds more. */
export const framedFrom = 16 * 1024;

/** What stands before a result, and what may stand behind it, is within so many bytes. */
const headBytes = 192;
const tailBytes = 96;

/** The envelope up to the result's brace: id and version in any order, or behind the result. */
const headForm =
	/^[ \t]*\{[ \t]*(?:"(?:jsonrpc"[ \t]*:[ \t]*"2\.0"|id"[ \t]*:[ \t]*\d{1,15})[ \t]*,[ \t]*){0,2}"result"[ \t]*:[ \t]*(?=\{)/;
/** The result's last brace, what the head left for the end, and the last brace of the envelope. */
const tailForm =
	/\}((?:[ \t]*,[ \t]*"(?:jsonrpc"[ \t]*:[ \t]*"2\.0"|id"[ \t]*:[ \t]*\d{1,15})){0,2}[ \t]*\})[ \t\r\n]*$/;
const completeForm = /^\{[ \t]*"resultType"[ \t]*:[ \t]*"complete"/;
const idForm = /"id"[ \t]*:[ \t]*(\d+)/g;
const versionForm = /"jsonrpc"/g;

/**
 * Finds the result of a large response by the envelope around it, reading the head forwards and the end backwards; the
 * result itself is only searched for what would break its framing. null on any doubt: then the whole message is to
 * be scanned. `pieces` are the bytes of one message.
 */
export function readResultFrame(pieces: readonly Buffer[]): ResultFrame | null {
	const whole = withLongEnd(pieces);
	const first = whole[0];
	const last = whole.at(-1);
	if (first === undefined || last === undefined) return null;
	const head = headForm.exec(first.toString('latin1', 0, headBytes))?.[0];
	const tailStart = Math.max(0, last.length - tailBytes);
	const tail = tailForm.exec(last.toString('latin1', tailStart));
	if (head === undefined || tail === null) return null;
	const id = onlyId(head + tail[1]);
	const start = head.length;
	const end = tailStart + tail.index + 1;
	if (id === null || (whole.length === 1 && end - start < 2)) return null;
	const result =
		whole.length === 1
			? [first.subarray(start, end)]
			: [first.subarray(start), ...whole.slice(1, -1), last.subarray(0, end)];
	if (!isFramed(result)) return null;
	return { id, complete: completeForm.test(first.toString('latin1', start, start + tailBytes)), pieces: result };
}

/** The pieces with a last one in which all fits that may stand behind the result. */
function withLongEnd(pieces: readonly Buffer[]): readonly Buffer[] {
	const last = pieces.at(-1);
	const before = pieces.at(-2);
	if (last === undefined || before === undefined || last.length >= tailBytes) return pieces;
	return [...pieces.slice(0, -2), Buffer.concat([before, last])];
}

/** The one id of an envelope that says nothing twice. */
function onlyId(envelope: string): number | null {
	const ids = [...envelope.matchAll(idForm)];
	if (ids.length !== 1 || (envelope.match(versionForm)?.length ?? 0) > 1) return null;
	return Number(ids[0]?.[1]);
}

/** Whether pieces are UTF-8 when they are put together, and hold no line break: each search takes 12 µs a megabyte. */
function isFramed(pieces: readonly Buffer[]): boolean {
	let cut: Buffer | null = null;
	for (const piece of pieces) {
		if (piece.includes(0x0a) || piece.includes(0x0d)) return false;
		let from = 0;
		if (cut !== null) {
			from = restOf(cut) - cut.length;
			if (!isUtf8(Buffer.concat([cut, piece.subarray(0, from)]))) return false;
		}
		const to = Math.max(from, cutStart(piece));
		if (!isUtf8(piece.subarray(from, to))) return false;
		cut = to < piece.length ? piece.subarray(to) : null;
	}
	return cut === null;
}

/** Where a character begins that the end of a piece cuts in two; the length of the piece when none is. */
function cutStart(piece: Buffer): number {
	for (let back = 1; back <= 3 && back <= piece.length; back++) {
		const byte = piece[piece.length - back] ?? 0;
		if (byte >= 0xc0) return restOf(piece.subarray(-back)) > back ? piece.length - back : piece.length;
		if (byte < 0x80) break;
	}
	return piece.length;
}

/** Bytes of the character that begins here, by its first one. */
function restOf(character: Buffer): number {
	const byte = character[0] ?? 0;
	return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}
