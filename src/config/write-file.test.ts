import {
	chmodSync,
	chownSync,
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

describe.runIf(process.getuid?.() === 0)('a gateway that is not the owner', () => {
	const [operator, gateway, team] = [62_001, 62_002, 63_000];

	/** What becomes of a file of the operator when a user of these groups, the first of them his own, replaces it. */
	async function replacedBy(groups: readonly [number, ...number[]], group: number, mode: number) {
		chownSync(folder, operator, team);
		chmodSync(folder, 0o777);
		chownSync(path, operator, group);
		chmodSync(path, mode);
		const before = process.getgroups?.() ?? [];
		process.setgroups?.([...groups]);
		process.setegid?.(groups[0]);
		process.seteuid?.(gateway);
		try {
			return await writeFileWhole(path, 'new', async () => true);
		} finally {
			process.seteuid?.(0);
			process.setegid?.(0);
			process.setgroups?.(before);
		}
	}

	test('leaves it the group that both are in', async () => {
		expect(await replacedBy([gateway, team], team, 0o660)).toBe('replaced');
		const { uid, gid, mode } = statSync(path);
		expect([uid, gid, mode & 0o777]).toEqual([gateway, team, 0o660]);
	});

	test.each<[string, 'owner' | 'group', readonly [number, ...number[]], number, number]>([
		['a group may do less than its owner', 'owner', [gateway, team], team, 0o640],
		['its group is the own one of the gateway', 'owner', [gateway], gateway, 0o660],
		['it is in none of the groups', 'group', [gateway], team, 0o664],
		['only its owner may write it', 'owner', [gateway], operator, 0o644],
	])('leaves it alone where %s', async (_title, lockedOut, groups, group, mode) => {
		expect(await replacedBy(groups, group, mode)).toEqual({ lockedOut });
		const now = statSync(path);
		expect([now.uid, now.gid, now.mode & 0o777]).toEqual([operator, group, mode]);
		expect(readFileSync(path, 'utf8')).toBe('old');
		expect(readdirSync(folder)).toEqual(['f']);
	});

	test('replaces what everybody may use', async () => {
		expect(await replacedBy([gateway], operator, 0o666)).toBe('replaced');
	});
});
