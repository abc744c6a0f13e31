// Writes schema/config.json and docs/configuration.md from the schema in src/config. With --check it only compares, and
// fails when they are not current.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Bundles the generators, because Node 20 does not run TypeScript, and returns path → text. */
async function generate() {
	// Inside the project, so that the bundle finds its packages.
	mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
	const folder = mkdtempSync(join(root, 'node_modules', '.cache', 'docs-'));
	try {
		const outfile = join(folder, 'generators.mjs');
		await build({
			stdin: {
				contents: `export { configJsonSchema } from './json-schema.ts';\nexport { configReference } from './reference.ts';\n`,
				resolveDir: join(root, 'src', 'config'),
				loader: 'ts',
			},
			bundle: true,
			packages: 'external',
			platform: 'node',
			format: 'esm',
			logLevel: 'warning',
			outfile,
		});
		const { configJsonSchema, configReference } = await import(pathToFileURL(outfile).href);
		return new Map([
			['schema/config.json', `${JSON.stringify(configJsonSchema(), null, '\t')}\n`],
			['docs/configuration.md', configReference()],
		]);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

const check = process.argv.includes('--check');
for (const [path, text] of await generate()) {
	const file = join(root, path);
	if (!check) {
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, text);
	} else if (readFileSync(file, 'utf8') !== text) {
		process.stderr.write(`${path} is not current; run: node scripts/docs.mjs\n`);
		process.exitCode = 1;
	}
}
