import { expect, test } from 'vitest';
import { type LoadContext, loadConfig } from '../load.ts';

const context: LoadContext = { env: {}, foreseenFault: () => null };

test('what is longer than timers run is as long as they run', () => {
	const text =
		'config:\n  connectionTerminationDeadline: 720h\n  connectionMinTerminationDeadline: 720h\n  mcp: { sessionTtl: 720h, targetStartTimeout: 720h }\n';
	const loaded = loadConfig({ name: 'config.yaml', text }, context);
	if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
	const { drainDeadline, drainMinimum, sessionTtl, targetStartTimeout } = loaded.config.settings;
	for (const each of [drainDeadline, drainMinimum, sessionTtl, targetStartTimeout]) {
		expect(each).toBeGreaterThan(24 * 24 * 3_600_000);
		// Some add to it.
		expect(each).toBeLessThan(2 ** 31 - 700);
	}
});
