import { expect, test } from 'vitest';
import type { Problem } from './ir.ts';
import { renderProblems } from './render.ts';

const at = (line: number, column: number, more: Partial<Problem> = {}): Problem => ({
	file: 'c.yaml',
	line,
	column,
	path: 'binds[0]',
	message: 'wrong',
	remedy: '',
	...more,
});

test('sorts by line, and leaves out what is empty', () => {
	const text = renderProblems([at(3, 1, { remedy: 'write x' }), at(0, 0, { path: '' }), at(2, 5)], { color: false });
	expect(text).toBe('c.yaml: wrong\nc.yaml:2:5: binds[0]: wrong\nc.yaml:3:1: binds[0]: wrong; write x');
});

test('quotes the line with a caret, after tabs too', () => {
	const text = renderProblems([at(2, 3)], { color: false, text: 'a\r\n\t port: x\r\n' });
	expect(text.split('\n')).toEqual(['c.yaml:2:3: binds[0]: wrong', '    2 | \t port: x', '      | \t ^']);
});

test('quotes no line that may hold a secret', () => {
	const text = 'key: s3cret\napi_token: s3cret\nhost: http://me:s3cret@example.com\nx: s3cret\n';
	const problems = [at(1, 1), at(2, 1), at(3, 1), at(4, 1, { path: 'mcp.targets[0].stdio.env.X' })];
	expect(renderProblems(problems, { color: false, text })).not.toContain('s3cret');
});

test('control characters of the file do not reach the terminal', () => {
	const text = renderProblems([at(1, 1, { message: 'got \u001b[2Jx\ny' })], {
		color: false,
		text: 'a: \u001b]0;x\u0007',
	});
	expect(text).not.toMatch(/[^\P{Cc}\n]/u);
	expect(text.split('\n')).toHaveLength(3);
});

test('colours and a limit', () => {
	expect(renderProblems([at(1, 1)], { color: true })).toContain('\u001b[31mwrong\u001b[0m');
	expect(renderProblems(Array(150).fill(at(1, 1)), { color: false })).toMatch(/\n… and 50 more$/);
});
