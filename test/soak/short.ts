import { expect, test } from 'vitest';
import { runSoak } from './soak.ts';
import { soaks } from './soaks.ts';

/** So many files share the soaks, as each soak mostly waits. */
const parts = 4;
/** One of each kind, all over within seconds; what a vanished client leaves is found after a while only. */
const faults = /^(child killed|connections reset|server forgets its sessions|configuration that is none)$/;

/**
 * Tests that every fourth of the soaks, from `part` (0 to 3) on, finds nothing wrong within seconds. Figures of time and
 * memory say nothing on a busy machine; what is right or wrong does.
 */
export function testShort(part: number): void {
	const some = soaks.filter((_soak, at) => at % parts === part);
	test.each(some.map((soak) => [soak.name, soak] as const))(
		'%s, short',
		async (_name, soak) => {
			const said: string[] = [];
			const rows = await runSoak(soak, { short: true, minutes: 0, faults, say: (text) => said.push(text) });
			const missed = rows.filter(({ met, correctness }) => correctness && !met);
			expect(missed, said.join('\n')).toEqual([]);
		},
		90_000,
	);
}
