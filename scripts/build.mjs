// Builds what the package ships: dist/*.js from src/ and examples/, dist/ui from ui/. Skips what is up to date.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const force = process.argv.includes('--force');
const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;

const entries = {
	cli: 'src/cli.ts',
	'config-worker': 'src/commands/config-worker.ts',
	'heap-flags': 'src/commands/heap-flags.ts',
	index: 'src/index.ts',
	'time-server': 'examples/time-server/main.ts',
};

/** Newest change time below a folder, in milliseconds. */
function newest(path) {
	if (!existsSync(path)) return 0;
	const stat = statSync(path);
	if (!stat.isDirectory()) return stat.mtimeMs;
	let time = 0;
	for (const name of readdirSync(path)) if (name !== 'node_modules') time = Math.max(time, newest(join(path, name)));
	return time;
}

async function buildCode() {
	const built = join(root, 'dist/cli.js');
	const sources = Math.max(
		newest(join(root, 'src')),
		newest(join(root, 'examples')),
		newest(join(root, 'package.json')),
	);
	if (!force && existsSync(built) && statSync(built).mtimeMs > sources) return;
	const { build } = await import('esbuild');
	await build({
		absWorkingDir: root,
		entryPoints: entries,
		outdir: 'dist',
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node20',
		sourcemap: true,
		logLevel: 'warning',
		define: { __VERSION__: JSON.stringify(version) },
		// Dependencies written for CommonJS ask for `require`, which ES modules do not have.
		banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
	});
	run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
}

function buildUi() {
	if (!existsSync(join(root, 'ui/index.html'))) return;
	const built = join(root, 'dist/ui/index.html');
	if (
		!force &&
		existsSync(built) &&
		statSync(built).mtimeMs > Math.max(newest(join(root, 'ui')), newest(join(root, 'src/admin/state.ts')))
	)
		return;
	run('node_modules/vite/bin/vite.js', 'build', 'ui', '--logLevel', 'warn');
}

/** Runs a tool of the project; its failure is the build's. */
function run(tool, ...args) {
	const done = spawnSync(process.execPath, [join(root, tool), ...args], { cwd: root, stdio: 'inherit' });
	if (done.status !== 0) process.exit(done.status ?? 1);
}

await buildCode();
buildUi();
