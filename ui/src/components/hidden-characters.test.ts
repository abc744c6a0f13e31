import { expect, test } from 'vitest';
import { markHidden } from './hidden-characters.ts';

test('plain text, also in other scripts, is one part', () => {
	for (const text of ['', 'a\tb\nc', 'שלום', '日本語 👩‍💻'.replace('\u200d', ''), 'é'])
		expect(markHidden(text)).toEqual([{ text, hidden: false }]);
});

test.each([
	['\u202e', 'U+202E'],
	['\u200b', 'U+200B'],
	['\u0007', 'U+0007'],
	['\u{e0041}', 'U+E0041'],
	['\u2066', 'U+2066'],
])('%j is named', (character, name) => {
	expect(markHidden(`a${character}b`)).toEqual([
		{ text: 'a', hidden: false },
		{ text: name, hidden: true },
		{ text: 'b', hidden: false },
	]);
});
