import { isScanFault, type Member, scanJson } from './json-scan.ts';
import { type Edit, splice } from './splice.ts';

/**
 * Takes members out of an object text, each with its comma; all other bytes stay. What is no object, or is not
 * acceptable JSON, comes back as it is.
 */
export function withoutMembers(object: Buffer, keys: ReadonlySet<string>): Buffer {
	const scanned = scanJson(object, {});
	if (isScanFault(scanned) || object[scanned.start] !== 0x7b) return object;
	const edits = removals(scanned.members ?? [], keys);
	return edits.length === 0 ? object : splice(scanned.text, edits, scanned.start, scanned.end);
}

type Span = Pick<Member, 'key' | 'keyStart' | 'start' | 'end'>;

/** The edits that take members out of an object, in rising order, for texts in which there is more to change. */
export function removals(members: readonly Span[], keys: ReadonlySet<string>): Edit[] {
	const edits: Edit[] = [];
	let before: Span | null = null;
	for (let i = 0; i < members.length; ) {
		const first = members[i];
		if (first === undefined) break;
		if (!keys.has(first.key)) {
			before = first;
			i++;
			continue;
		}
		let next = i + 1;
		while (next < members.length && keys.has(members[next]?.key ?? '')) next++;
		// Behind a member that stays, the comma before goes along; at the beginning, the one behind.
		const end = before === null ? members[next]?.keyStart : undefined;
		edits.push({ start: before?.end ?? first.keyStart, end: end ?? members[next - 1]?.end ?? first.end, text: '' });
		i = next;
	}
	return edits;
}
