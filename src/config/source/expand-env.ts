/** What came out of expansion: the new text, the variables that were missing, and the way back to the written text. */
export interface ExpandedText {
	text: string;
	/** Variables without a value and without a default, with their offset in the written text. */
	missing: { name: string; offset: number }[];
	/** Offset in the expanded text → offset in the written text. */
	origin(offset: number): number;
}

interface Shift {
	/** Where the inserted value begins and ends in the expanded text, and where it stood in the written text. */
	start: number;
	end: number;
	written: number;
	writtenEnd: number;
}

const REFERENCE = /\$(?:\$|\{([^}]*)\}|([A-Za-z0-9_]+))/g;
const EDITOR_HINT = /^[ \t]*# yaml-language-server:.*$/gm;

/**
 * Replaces `$V`, `${V}`, `${V:-default}` and `$$` in the whole text, comments included, as agentgateway does before it
 * parses (contract section 0). The editor hint `# yaml-language-server:` is left alone; `~` counts as the first
 * character only. A missing variable stays as it was written and is reported in `missing`.
 */
export function expandEnv(written: string, env: Record<string, string | undefined>): ExpandedText {
	const missing: ExpandedText['missing'] = [];
	const shifts: Shift[] = [];
	let text = '';
	let copied = 0;
	const insert = (value: string, from: number, to: number): void => {
		text += written.slice(copied, from);
		shifts.push({ start: text.length, end: text.length + value.length, written: from, writtenEnd: to });
		text += value;
		copied = to;
	};
	if (/^~(?:\/|$)/.test(written) && env.HOME !== undefined) {
		insert(env.HOME, 0, 1);
	}
	for (const found of referencesIn(written)) {
		const from = found.index;
		if (found[0] === '$$') {
			insert('$', from, from + 2);
			continue;
		}
		const { name, fallback } = splitDefault(found[1] ?? found[2] ?? '');
		const value = (Object.hasOwn(env, name) ? env[name] : undefined) ?? fallback;
		if (value === undefined) {
			missing.push({ name, offset: from });
		} else {
			insert(value, from, from + found[0].length);
		}
	}
	text += written.slice(copied);
	return { text, missing, origin: (offset) => originOf(offset, shifts) };
}

/** What looks like a reference, `$$` included, outside the editor hint. */
export function* referencesIn(written: string): Iterable<RegExpExecArray> {
	const exempt = [...written.matchAll(EDITOR_HINT)].map((hint) => [hint.index, hint.index + hint[0].length] as const);
	let nextExempt = 0;
	for (const found of written.matchAll(REFERENCE)) {
		while (nextExempt < exempt.length && (exempt[nextExempt]?.[1] ?? 0) <= found.index) {
			nextExempt++;
		}
		if ((exempt[nextExempt]?.[0] ?? Number.POSITIVE_INFINITY) > found.index) {
			yield found;
		}
	}
}

function splitDefault(inner: string): { name: string; fallback: string | undefined } {
	const cut = inner.indexOf(':-');
	return cut < 0 ? { name: inner, fallback: undefined } : { name: inner.slice(0, cut), fallback: inner.slice(cut + 2) };
}

function originOf(offset: number, shifts: readonly Shift[]): number {
	let low = 0;
	let high = shifts.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((shifts[middle]?.start ?? 0) <= offset) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	const shift = shifts[low - 1];
	if (shift === undefined) {
		return offset;
	}
	return offset < shift.end ? shift.written : shift.writtenEnd + (offset - shift.end);
}
