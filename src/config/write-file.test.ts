import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeFileWhole } from './write-file.ts';

let folder = '';
let path = '';
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'write-file-'));
	path = join(folder, 'f');
	writeFileSync(path, 'old');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a file is replaced, and keeps its mode', async () => {
	chmodSync(path, 0o640);
	const { mode } = statSync(path);
	expect(await writeFileWhole(path, 'new', async () => readFileSync(path, 'utf8') === 'old')).toBe('replaced');
	expect(readFileSync(path, 'utf8')).toBe('new');
	expect(statSync(path).mode).toBe(mode);
	expect(readdirSync(folder)).toEqual(['f']);
});

describe('what somebody else has written meanwhile stays', () => {
	test.each<[string, () => void]>([
		['in place', () => writeFileSync(path, 'his')],
		[
			'by renaming',
			() => {
				writeFileSync(join(folder, 'f~'), 'his');
				renameSync(join(folder, 'f~'), path);
			},
		],
	])('%s', async (_title, save) => {
		const same = async () => {
			save();
			return true;
		};
		expect(await writeFileWhole(path, 'new', same)).toBe('changed');
		expect(readFileSync(path, 'utf8')).toBe('his');
		expect(readdirSync(folder)).toEqual(['f']);
	});

	test('by leading a link elsewhere', async () => {
		for (const name of ['1', '2']) {
			mkdirSync(join(folder, name));
			writeFileSync(join(folder, name, 'g'), name);
		}
		const link = join(folder, 'link');
		symlinkSync('1/g', link);
		const same = async () => {
			symlinkSync('2/g', join(folder, 'other'));
			renameSync(join(folder, 'other'), link);
			return true;
		};
		expect(await writeFileWhole(link, 'new', same)).toBe('changed');
		expect(['1', '2'].map((name) => readFileSync(join(folder, name, 'g'), 'utf8'))).toEqual(['1', '2']);
	});

	test('or what does not say the same any more', async () => {
		expect(await writeFileWhole(path, 'new', async () => false)).toBe('changed');
		expect(readFileSync(path, 'utf8')).toBe('old');
	});
});
