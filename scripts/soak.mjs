// `npm run soak [-- NAME… --minutes N --write]`: what must hold for months, in minutes. Linux: it reads /proc.
// The soaks are TypeScript and use the test support; they are bundled first, as Node 20 runs JavaScript only.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const { build } = await import('esbuild');
// As deep in the folder as the sources, which find the project by their own place.
const outfile = join(root, '.cache/soak/main.mjs');
await build({
	absWorkingDir: root,
	entryPoints: ['test/soak/main.ts'],
	outfile,
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'node20',
	sourcemap: 'inline',
	logLevel: 'warning',
	banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});
const soak = spawn(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], {
	cwd: root,
	stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && soak.kill(signal));
soak.on('exit', (code) => {
	process.exitCode = code ?? 1;
});
