import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/gateway.ts';
import { protocolSupport } from './table.ts';
import { topics } from './topics.ts';

test('docs/protocol-support.md says what the matrix checks; write it with: node scripts/protocol-support.mjs', () => {
	expect(readFileSync(join(root, 'docs/protocol-support.md'), 'utf8')).toBe(protocolSupport());
});

test('each requirement has a name of its own', () => {
	const ids = topics.flatMap(({ requirements }) => requirements.map(({ id }) => id));
	expect(new Set(ids).size).toBe(ids.length);
});
