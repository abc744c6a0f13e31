/**
 * The grammar of JSON (RFC 8259) as a table, so that a text can be read on from any byte: `[state << 5 | class of the
 * byte]` gives the next state, or from 64 on something to do. Line breaks are allowed nowhere.
 */

/** Where a reader stands in a text. `inText` and `inKey` are those in which a run of plain characters may come. */
export const state = {
	refused: 0,
	inText: 1,
	inKey: 2,
	value: 3,
	firstItem: 4,
	firstKey: 5,
	key: 6,
	colon: 7,
	after: 8,
	end: 9,
	...{ textEscape: 10, textHex: 11, keyEscape: 15, keyHex: 16 },
	...{ minus: 20, zero: 21, whole: 22, point: 23, fraction: 24, exponent: 25, sign: 26, power: 27 },
	/** Behind a word, which ends as a number does: by what follows. */
	word: 28,
	...{ true: 29, false: 32, null: 36 },
	/** The same as `colon` and before `value`, for members of the outermost object. */
	...{ ownColon: 39, ownValue: 40 },
} as const;

export const action = {
	openObject: 64,
	openArray: 65,
	closeObject: 66,
	closeArray: 67,
	comma: 68,
	endText: 69,
	beginKey: 70,
	endKey: 71,
	escapeInKey: 72,
	/** A space behind a value that it ends. */
	space: 73,
	/** The byte is the first of an own member's value, and to be read again as such. */
	beginValue: 74,
} as const;

const alphabets = ['\t', ' ', '{', '}', '[', ']', ':', ',', '"', '\\', '-', '+', '.', '/', '0', '123456789'];
const letters = ['a', 'b', 'cd', 'e', 'f', 'E', 'ABCDF', 'l', 'n', 'r', 's', 't', 'u'];
const plain = alphabets.length + letters.length + 1;
/** Control characters; all other bytes that no class names are plain. */
const control = 0;

/** The class of each byte. */
export const classes: Uint8Array = classesOfBytes();

/** The next state or action. */
export const grammar: Uint8Array = table();

function classesOfBytes(): Uint8Array {
	const all = new Uint8Array(256).fill(plain);
	all.fill(control, 0, 0x20);
	[...alphabets, ...letters].forEach((bytes, at) => {
		for (const byte of Buffer.from(bytes)) all[byte] = at + 1;
	});
	return all;
}

function table(): Uint8Array {
	const next = new Uint8Array(64 << 5);
	const on = (from: number, bytes: string, to: number) => {
		for (const byte of Buffer.from(bytes)) next[(from << 5) | (classes[byte] ?? control)] = to;
	};
	values(on);
	objects(on);
	texts(next, on, state.inText, state.textEscape, action.endText);
	texts(next, on, state.inKey, state.keyEscape, action.endKey);
	on(state.inKey, '\\', action.escapeInKey);
	numbers(on);
	words(on);
	on(state.end, ' \t', state.end);
	return next;
}

type On = (from: number, bytes: string, to: number) => void;

function values(on: On): void {
	for (const from of [state.value, state.firstItem]) {
		on(from, ' \t', from);
		on(from, '{', action.openObject);
		on(from, '[', action.openArray);
		on(from, '"', state.inText);
		on(from, '-', state.minus);
		on(from, '0', state.zero);
		on(from, '1', state.whole);
		on(from, 't', state.true);
		on(from, 'f', state.false);
		on(from, 'n', state.null);
	}
	on(state.firstItem, ']', action.closeArray);
	on(state.after, ' \t', state.after);
	ended(on, state.after);
}

/** What may follow a value, be it only to end it. */
function ended(on: On, from: number): void {
	on(from, ',', action.comma);
	on(from, '}', action.closeObject);
	on(from, ']', action.closeArray);
	if (from !== state.after) on(from, ' \t', action.space);
}

function objects(on: On): void {
	for (const from of [state.firstKey, state.key]) {
		on(from, ' \t', from);
		on(from, '"', action.beginKey);
	}
	on(state.firstKey, '}', action.closeObject);
	for (const [colon, value] of [
		[state.colon, state.value],
		[state.ownColon, state.ownValue],
	] as const) {
		on(colon, ' \t', colon);
		on(colon, ':', value);
	}
	on(state.ownValue, '"{[-01tfn', action.beginValue);
	on(state.ownValue, ' \t', state.ownValue);
}

function texts(next: Uint8Array, on: On, inside: number, escape: number, end: number): void {
	for (let kind = control + 1; kind <= plain; kind++) next[(inside << 5) | kind] = inside;
	on(inside, '\t', state.refused);
	on(inside, '"', end);
	on(inside, '\\', escape);
	on(escape, '"\\/bfnrt', inside);
	on(escape, 'u', escape + 1);
	for (let digit = 1; digit <= 4; digit++)
		on(escape + digit, '0123456789abcdefABCDEF', digit === 4 ? inside : escape + digit + 1);
}

function numbers(on: On): void {
	on(state.minus, '0', state.zero);
	on(state.minus, '1', state.whole);
	on(state.whole, '01', state.whole);
	for (const from of [state.zero, state.whole]) on(from, '.', state.point);
	on(state.point, '01', state.fraction);
	on(state.fraction, '01', state.fraction);
	for (const from of [state.zero, state.whole, state.fraction]) on(from, 'eE', state.exponent);
	on(state.exponent, '+-', state.sign);
	for (const from of [state.exponent, state.sign, state.power]) on(from, '01', state.power);
	for (const from of [state.zero, state.whole, state.fraction, state.power]) ended(on, from);
}

function words(on: On): void {
	for (const word of ['true', 'false', 'null'] as const) {
		const first = state[word];
		for (let at = 1; at < word.length; at++)
			on(first + at - 1, word.charAt(at), at === word.length - 1 ? state.word : first + at);
	}
	ended(on, state.word);
}
