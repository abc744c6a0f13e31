import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

type Colour = readonly [lightness: number, chroma: number, hue: number];

/** The pairs of styles.css: name → light and dark. */
const tokens = new Map<string, readonly [Colour, Colour]>();
const css = readFileSync(new URL('./styles.css', import.meta.url), 'utf8');
for (const [, name = '', light = '', dark = ''] of css.matchAll(
	/--([\w-]+): light-dark\(oklch\((.*?)\), oklch\((.*?)\)\)/g,
))
	tokens.set(name, [colour(light), colour(dark)]);

const backgrounds = ['bg', 'bg-raised', 'bg-sunken'];
const statuses = ['ok', 'info', 'warn', 'bad', 'accent'];

const readable: (readonly [string, string])[] = [
	...backgrounds.flatMap((background) =>
		['text', 'text-muted', ...statuses].map((text) => [text, background] as const),
	),
	...statuses.flatMap((status) => [[status, `${status}-soft`] as const, ['text', `${status}-soft`] as const]),
	['accent-text', 'accent'],
];
const visible = backgrounds.flatMap((background) => [
	['line-strong', background] as const,
	['accent', background] as const,
]);

describe.each([
	['light', 0],
	['dark', 1],
] as const)('the %s theme', (_name, theme) => {
	test.each(readable)('%s on %s can be read: 4.5:1', (text, background) => {
		expect(contrast(token(text)[theme], token(background)[theme])).toBeGreaterThanOrEqual(4.5);
	});

	test.each(visible)('borders of inputs and focus rings, %s on %s: 3:1', (line, background) => {
		expect(contrast(token(line)[theme], token(background)[theme])).toBeGreaterThanOrEqual(3);
	});
});

test('black on white is 21:1', () => {
	expect(contrast([0, 0, 0], [1, 0, 0])).toBeCloseTo(21, 1);
});

function token(name: string): readonly [Colour, Colour] {
	const found = tokens.get(name);
	if (found === undefined) throw new Error(`styles.css has no --${name}`);
	return found;
}

function colour(text: string): Colour {
	const [lightness = Number.NaN, chroma = Number.NaN, hue = 0] = text.split(' ').map(Number);
	return [lightness, chroma, hue];
}

/** WCAG 2.2 contrast ratio. */
function contrast(a: Colour, b: Colour): number {
	const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
	return (high + 0.05) / (low + 0.05);
}

/** Relative luminance of an OKLCH colour, cut to what sRGB can show (CSS Color 4 §10). */
function luminance([lightness, chroma, hue]: Colour): number {
	const a = chroma * Math.cos((hue * Math.PI) / 180);
	const b = chroma * Math.sin((hue * Math.PI) / 180);
	const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
	const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
	const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
	const red = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
	const green = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
	const blue = -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s;
	return 0.2126 * cut(red) + 0.7152 * cut(green) + 0.0722 * cut(blue);
}

function cut(value: number): number {
	return Math.min(Math.max(value, 0), 1);
}
