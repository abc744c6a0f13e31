import { readFile } from 'node:fs/promises';

/** Whose a file is, and what its mode allows. */
export interface Owned {
	readonly uid: number;
	readonly gid: number;
	readonly mode: number;
}

/** Who could read or write a file and cannot do so with the one that takes its place; null: nobody. */
export async function lockedOut(before: Owned, after: Owned): Promise<'owner' | 'group' | null> {
	const others = rights(after.mode, 0);
	if (after.gid !== before.gid && !covers(others, rights(before.mode, 3))) return 'group';
	// root may do everything.
	if (after.uid === before.uid || before.uid === 0) return null;
	const left = (await isMember(before.uid, after.gid)) ? rights(after.mode, 3) : others;
	return covers(left, rights(before.mode, 6)) ? null : 'owner';
}

/** Reading and writing, of the digit of a mode that begins at this bit. */
function rights(mode: number, bit: number): number {
	return (mode >> bit) & 0o6;
}

function covers(some: number, wanted: number): boolean {
	return (wanted & ~some) === 0;
}

/**
 * Node cannot ask the system. Who is not in its files, as outside of a container, is taken for a member of a group that the
 * gateway shares, and not of its own one, which often has nobody else.
 */
async function isMember(uid: number, gid: number): Promise<boolean> {
	const [users, groups] = await Promise.all([entriesOf('/etc/passwd'), entriesOf('/etc/group')]);
	const user = users.find(([, , id]) => id === String(uid));
	if (user === undefined) return gid !== process.getegid?.();
	if (user[3] === String(gid)) return true;
	const names = groups.find(([, , id]) => id === String(gid))?.[3]?.split(',') ?? [];
	return names.includes(user[0] ?? '');
}

async function entriesOf(path: string): Promise<string[][]> {
	const text = await readFile(path, 'utf8').catch(() => '');
	return text.split('\n').map((line) => line.split(':'));
}
