import { expect, test } from 'vitest';
import { isTargetName, targetNameFault } from './target-name.ts';

test.each(['a', 'time', 'a-b.c-1', '1', 'a'.repeat(253)])('%s is allowed', (name) => {
	expect(isTargetName(name)).toBe(true);
});

test.each(['', 'A', 'a_b', 'a+b', '-a', 'a-', 'a..b', '.a', 'ä', 'a b', 'a\n', 'a'.repeat(254)])(
	'%j is refused',
	(name) => {
		expect(isTargetName(name)).toBe(false);
	},
);

test('offers the nearest allowed name, when there is one', () => {
	expect(targetNameFault('My_Server')).toMatch(/^invalid MCP target name "My_Server"; write "my-server"; /);
	expect(targetNameFault('__')).not.toMatch(/write/);
});
