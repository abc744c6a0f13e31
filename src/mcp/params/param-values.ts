import { plainDecimal, sameDecimal } from '../../lib/decimal.ts';
import { decodeString, isScanFault, type Member, type Scanned, scanJson } from '../../lib/json-scan.ts';
import { decodeHeader, encodeHeader } from './header-value.ts';
import type { DeclaredHeaders } from './param-headers.ts';

/**
 * The `Mcp-Param-…` headers of a call, flat: name, value, name, value. `argumentsText` is the object of the call's
 * `arguments`, null when it has none. Absent values, null, objects and arrays have no header.
 */
export function paramHeaders(declared: DeclaredHeaders, argumentsText: Buffer | null): string[] {
	const flat: string[] = [];
	const root = argumentsOf(declared, argumentsText);
	if (root === null || isScanFault(root)) return flat;
	for (const { header, path } of declared.headers) {
		const value = valueAt(root, path);
		if (value !== null) flat.push(header, encodeHeader(value.text));
	}
	return flat;
}

/**
 * Compares the `Mcp-Param-…` headers of a request with its arguments. null: they agree. Otherwise what is wrong, for
 * the message of a `-32020` error. `headers` has lowercase names, as Node gives them.
 *
 * Numbers are compared by their value (`42.0` is `42`), exactly. Integers beyond the safe range need no header,
 * because clients cannot write them reliably; when they have one, it must match.
 */
export function checkParamHeaders(
	declared: DeclaredHeaders,
	argumentsText: Buffer | null,
	headers: Readonly<Record<string, string | string[] | undefined>>,
): string | null {
	if (declared.headers.length === 0) return null;
	const root = argumentsOf(declared, argumentsText);
	if (root !== null && isScanFault(root)) return `the arguments cannot be compared with headers: ${root.fault}`;
	for (const { label, header, path } of declared.headers) {
		const raw = headers[header];
		const value = root === null ? null : valueAt(root, path);
		if (raw === undefined) {
			if (value !== null && !value.optional) return `the ${label} header is missing`;
			continue;
		}
		const found = typeof raw === 'string' ? decodeHeader(raw.trim()) : null;
		if (found === null) return `the ${label} header cannot be decoded`;
		if (value === null) return `the ${label} header says something, the body says nothing`;
		if (!agrees(value, found)) return `the ${label} header does not match the body`;
	}
	return null;
}

function argumentsOf(declared: DeclaredHeaders, text: Buffer | null): ReturnType<typeof scanJson> | null {
	return text === null || declared.headers.length === 0 ? null : scanJson(text, declared.look);
}

/** An argument in words. */
interface Value {
	readonly text: string;
	readonly isNumber: boolean;
	/** Whether its header may be missing. */
	readonly optional: boolean;
}

function valueAt(root: Scanned, path: readonly string[]): Value | null {
	const { text } = root;
	let at: Pick<Member, 'start' | 'end' | 'members'> = root;
	for (const property of path) {
		// Items of an array are members too, with numbers as keys.
		if (text[at.start] !== 0x7b) return null;
		const next = at.members?.find((member) => member.key === property);
		if (next === undefined) return null;
		at = next;
	}
	switch (text[at.start]) {
		case 0x22:
			return { text: decodeString(text, at.start, at.end), isNumber: false, optional: false };
		case 0x74:
			return { text: 'true', isNumber: false, optional: false };
		case 0x66:
			return { text: 'false', isNumber: false, optional: false };
		case 0x6e:
		case 0x7b:
		case 0x5b:
			return null;
		default:
			return numberOf(text.toString('latin1', at.start, at.end));
	}
}

function numberOf(written: string): Value {
	const number = Number(written);
	const unsafe = Number.isSafeInteger(number) ? false : Number.isInteger(number) || !Number.isFinite(number);
	return { text: plainDecimal(written), isNumber: true, optional: unsafe };
}

function agrees(value: Value, header: string): boolean {
	return value.text === header || (value.isNumber && sameDecimal(value.text, header));
}
