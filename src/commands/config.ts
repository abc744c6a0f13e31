import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliOptions } from './options.ts';
import { defaultConfigPath, defaultConfigText } from '../config/default-file.ts';
import type { GatewayConfig, Problem } from '../config/ir.ts';
import { loadConfig } from '../config/load.ts';
import { type ConfigOrigin, readConfigSource } from '../config/read.ts';
import { renderProblems } from '../config/render.ts';
import { foreseenFault } from '../processes/foreseen-fault.ts';
import type { WatchedFile } from '../runtime/core.ts';
import { FileInThread } from './file-in-thread.ts';
import { isFile } from './is-file.ts';

/** A configuration that can run. */
export interface Chosen {
	readonly config: GatewayConfig;
	readonly document: unknown;
	/** Where it came from. */
	readonly source: string;
	/** The file that it stands in; null for a text, stdin, and whatever else cannot be read twice. */
	readonly file: WatchedFile | null;
}

/** Loads what the flags ask for. Problems are written to stderr; then there is nothing to run. */
export async function chooseConfig(options: CliOptions): Promise<Chosen | null> {
	const origin = originOf(options);
	const read = await readConfigSource(origin);
	if (!read.ok) return complain(read.problems);
	const loaded = loadConfig(read.source, { env: process.env, foreseenFault });
	if (!loaded.ok) return complain(loaded.problems, read.source.text);
	const { config, document, references } = loaded;
	const { name, text } = read.source;
	const file = origin.kind === 'file' && isFile(name) ? { file: new FileInThread(name), text, references } : null;
	return { config, document, source: name, file };
}

function complain(problems: readonly Problem[], text?: string): null {
	const color = process.stderr.isTTY && process.env['NO_COLOR'] === undefined;
	process.stderr.write(`${renderProblems(problems, text === undefined ? { color } : { color, text })}\n`);
	return null;
}

function originOf(options: CliOptions): ConfigOrigin {
	if (options.config !== undefined) return { kind: 'text', text: options.config };
	if (options.file === '-') return { kind: 'stdin', input: process.stdin };
	return { kind: 'file', path: options.file ?? defaultFile() };
}

/** The file that is used without flags; made with the demo servers when it is not there yet. */
function defaultFile(): string {
	const path = defaultConfigPath(process.env, homedir(), isWritable);
	if (existsSync(path)) return path;
	const installed = fileURLToPath(new URL('.', import.meta.url));
	const everything = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
	const targets = [
		{ name: 'time', cmd: process.execPath, args: [join(installed, 'time-server.js')] },
		{ name: 'everything', cmd: process.execPath, args: [everything] },
	];
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, defaultConfigText(targets));
	return path;
}

function isWritable(folder: string): boolean {
	try {
		accessSync(folder, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}
