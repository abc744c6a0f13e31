import { expect, test } from 'vitest';
import { lockedOut } from './file-owner.ts';

// Nobody of the machine that runs the tests.
const [operator, gateway, team] = [62_001, 62_002, 63_000];

test.each([
	['nothing changes', { uid: operator, gid: team, mode: 0o600 }, { uid: operator, gid: team }, null],
	['a shared group stays', { uid: operator, gid: team, mode: 0o660 }, { uid: gateway, gid: team }, null],
	['the group may do less', { uid: operator, gid: team, mode: 0o640 }, { uid: gateway, gid: team }, 'owner'],
	['the group goes', { uid: operator, gid: team, mode: 0o640 }, { uid: operator, gid: gateway }, 'group'],
	[
		'the group goes, and everybody may',
		{ uid: operator, gid: team, mode: 0o644 },
		{ uid: operator, gid: gateway },
		null,
	],
	['it was of root', { uid: 0, gid: team, mode: 0o640 }, { uid: gateway, gid: team }, null],
	['everybody may', { uid: operator, gid: team, mode: 0o666 }, { uid: gateway, gid: gateway }, null],
])('%s', async (_title, before, after, out) => {
	expect(await lockedOut(before, { ...after, mode: before.mode })).toBe(out);
});
