import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['src/**/*.test.ts', 'examples/**/*.test.ts', 'test/**/*.test.ts', 'ui/src/**/*.test.{ts,tsx}'],
		exclude: [...configDefaults.exclude, 'dist/**', '.cache/**'],
		// Most tests wait for processes and timers: three at once keep two cores busy.
		maxWorkers: 3,
		// Real processes and sockets on a busy machine.
		testTimeout: 20_000,
		hookTimeout: 60_000,
		// Where a fault of the machine must not hold up a change; what needed the second try is marked in the output.
		retry: Number(process.env['TEST_RETRY'] ?? 0),
		restoreMocks: true,
		unstubEnvs: true,
	},
});
