import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { type Proof, rows } from './rows.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

function isThere([file, title]: Proof): boolean {
	const text = read(file);
	return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}`));
}

describe.each(Object.entries(rows))('agentgateway’s tests: %s', (_group, demands) => {
	test.each(demands)('$demand', ({ shown, differs }) => {
		expect(shown.length).toBeGreaterThan(0);
		expect(shown.filter((proof) => !isThere(proof))).toEqual([]);
		if (differs !== undefined) expect(read('docs/compatibility.md')).toContain(`\n| ${differs}`);
	});
});
