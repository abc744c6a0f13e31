/**
 * Makes a matcher for a pattern in which `*` stands for any number of characters and `?` for one. It looks at the
 * whole text; case counts. No pattern makes it slow: at most its length times that of the text.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
	if (!/[*?]/.test(pattern)) return (text) => text === pattern;
	const parts = pattern.split('*').map((part) => Array.from(part));
	const first = parts.shift() ?? [];
	const last = parts.pop();
	if (last === undefined) return (text) => fits(first, Array.from(text));
	return (text) => {
		const characters = Array.from(text);
		const end = characters.length - last.length;
		if (end < first.length || !standsAt(first, characters, 0) || !standsAt(last, characters, end)) return false;
		let at = first.length;
		for (const part of parts) {
			// The earliest place leaves most room for the rest, so no other needs to be tried.
			while (at + part.length <= end && !standsAt(part, characters, at)) at++;
			if (at + part.length > end) return false;
			at += part.length;
		}
		return true;
	};
}

function fits(part: readonly string[], text: readonly string[]): boolean {
	return part.length === text.length && standsAt(part, text, 0);
}

function standsAt(part: readonly string[], text: readonly string[], at: number): boolean {
	for (let i = 0; i < part.length; i++) if (part[i] !== '?' && part[i] !== text[at + i]) return false;
	return true;
}
