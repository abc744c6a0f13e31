import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { cutLabel, cutText } from './cut.ts';

describe('a text', () => {
	test('of 1,024 characters is as it was', () => {
		for (const text of ['', 'get_time', '…'.repeat(1024)]) expect(cutText(text)).toBe(text);
	});

	test('of more is cut, says so, and is not cut again', () => {
		const cut = cutText('x'.repeat(4_194_304));
		expect(cut).toHaveLength(1024);
		expect(cut).toMatch(/^x{900,}… \(4194304 characters\)$/);
		expect(cutText(cut)).toBe(cut);
	});

	test('is not cut within a character', () => {
		for (const text of ['😀'.repeat(2000), `a${'😀'.repeat(2000)}`])
			expect(cutText(text)).toMatch(/^a?(😀)+… \(\d+ characters\)$/u);
	});
});

describe('a label', () => {
	test('of 128 bytes is as it was', () => {
		for (const text of ['', 'get_time', 'x'.repeat(128), 'é'.repeat(64)]) expect(cutLabel(text)).toBe(text);
	});

	test.each(['x', 'é', '…', '😀'])('of more %s is cut between characters', (one) => {
		for (const before of ['', 'a', 'ab', 'abc']) {
			const cut = cutLabel(before + one.repeat(5000));
			expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(128);
			expect(Buffer.byteLength(cut)).toBeGreaterThan(120);
			expect(cut).toMatch(new RegExp(`^${before}(${one})+…$`, 'u'));
			expect(cutLabel(cutText(before + one.repeat(5000)))).toBe(cut);
		}
	});

	test('made of a lone half of a character is cut, too', () => {
		expect(Buffer.byteLength(cutLabel('\ud83d'.repeat(200)))).toBeLessThanOrEqual(128);
	});
});

test('what was cut does not keep the long text', () => {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	const kept: string[] = [];
	collect();
	const before = process.memoryUsage().heapUsed;
	for (let at = 0; at < 20; at++) {
		const long = String(at % 10).repeat(4_000_000);
		kept.push(at % 2 === 0 ? cutText(long) : cutLabel(long));
	}
	collect();
	expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
	expect(kept).toHaveLength(20);
});
