import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { protocolSupport } from './table.ts';
import { topics } from './topics.ts';
import { tableOfRun } from './write-table.ts';

const file = join(root, 'docs/protocol-support.md');
/** Set by scripts/protocol-support.mjs: what a run of the matrix has left there is written down. */
const outcomes = process.env['MATRIX_OUT'];

test('docs/protocol-support.md says what the matrix checks; write it with: node scripts/protocol-support.mjs', () => {
	if (outcomes === undefined) expect(readFileSync(file, 'utf8')).toBe(protocolSupport());
	else {
		const { text, failed } = tableOfRun(outcomes);
		writeFileSync(file, text);
		expect(failed).toEqual([]);
	}
});

test('each requirement has a name of its own', () => {
	const ids = topics.flatMap(({ requirements }) => requirements.map(({ id }) => id));
	expect(new Set(ids).size).toBe(ids.length);
});
