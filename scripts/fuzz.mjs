// `npm run fuzz -- --messages 10000000 --seed 1`: messages that nobody should send, from both sides, in memory.
// What is found is written to test/fuzz/corpus, whose rounds `npm test` repeats.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-fuzz-'));
const outfile = join(folder, 'fuzz.mjs');
await build({
	absWorkingDir: root,
	entryPoints: ['test/fuzz/main.ts'],
	...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile, sourcemap: 'inline' },
	define: { __VERSION__: '"0.0.0"' },
	banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
	logLevel: 'error',
});
const flags = ['--enable-source-maps', '--expose-gc', outfile, '--corpus', join(root, 'test/fuzz/corpus')];
const { status } = spawnSync(process.execPath, [...flags, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
