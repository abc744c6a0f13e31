import { isUtf8 } from 'node:buffer';
import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Problem } from './ir.ts';
import type { ConfigSource } from './load.ts';
import { isPassingFault } from '../lib/passing-fault.ts';

/** Where configuration text comes from: `-f PATH`, `-f -`, or `-c TEXT`. */
export type ConfigOrigin =
	/** `again`: it is a file that was read before, and is expected to be one still. */
	| { kind: 'file'; path: string; again?: true }
	| { kind: 'stdin'; input: AsyncIterable<Uint8Array | string> }
	| { kind: 'text'; text: string };

/** The text, or the one problem that kept it from being read. `passing`: of the machine, not of the file; it passes by itself. */
export type ReadResult = { ok: true; source: ConfigSource } | { ok: false; problems: Problem[]; passing?: boolean };

/** Larger files are refused. */
export const MAX_CONFIG_BYTES = 5_000_000;

/**
 * Reads configuration text as UTF-8, at most 5 MB. A file that is missing, unreadable, a directory, empty, too large or no
 * text gives a problem; nothing is thrown.
 */
export async function readConfigSource(origin: ConfigOrigin): Promise<ReadResult> {
	const name = nameOf(origin);
	let bytes: Buffer | null;
	try {
		bytes = await bytesOf(origin);
	} catch (error) {
		const [message, remedy] = readFault(error, origin.kind === 'file' && origin.again === true);
		const problems = [{ file: name, line: 0, column: 0, path: '', message, remedy }];
		return isPassingFault(error) ? { ok: false, problems, passing: true } : { ok: false, problems };
	}
	return sourceOf(name, bytes, emptyThing(origin));
}

/** What bytes say as a configuration text; null: they were too many. `thing`: where they come from, in a word. */
export function sourceOf(name: string, bytes: Buffer | null, thing = 'file'): ReadResult {
	const refuse = (message: string, remedy: string): ReadResult => ({
		ok: false,
		problems: [{ file: name, line: 0, column: 0, path: '', message, remedy }],
	});
	if (bytes === null || bytes.length > MAX_CONFIG_BYTES) {
		return refuse('larger than 5 MB', 'is it the right file?');
	}
	if (!isUtf8(bytes) || bytes.includes(0)) {
		return refuse('not UTF-8 text', 'is it the right file?');
	}
	const text = withoutMark(bytes);
	return text.trim() === ''
		? refuse(`the ${thing} is empty`, 'write at least one of binds, gateways or mcp')
		: { ok: true, source: { name, text } };
}

/** Bytes as UTF-8 text, without its byte order mark. */
export function withoutMark(bytes: Buffer): string {
	return bytes.toString('utf8').replace(/^\ufeff/, '');
}

function nameOf(origin: ConfigOrigin): string {
	switch (origin.kind) {
		case 'file':
			return origin.path;
		case 'stdin':
			return '<stdin>';
		case 'text':
			return '<command line>';
	}
}

function emptyThing(origin: ConfigOrigin): string {
	return origin.kind === 'file' ? 'file' : origin.kind === 'stdin' ? 'input' : 'text';
}

async function bytesOf(origin: ConfigOrigin): Promise<Buffer | null> {
	switch (origin.kind) {
		case 'text':
			return Buffer.from(origin.text);
		case 'stdin':
			return collect(origin.input);
		case 'file':
			// A stream, not readFile: pipes such as <(…) have no size, and an endless device must not fill the memory.
			return origin.again === true ? readAgain(origin.path) : collect(createReadStream(origin.path));
	}
}

/**
 * Reads a file that was read before, whatever stands in its place now. Opening a pipe would wait for who writes to it, in a
 * thread that nobody gets back, not even to end the process. null: larger than 5 MB. Throws what the file system throws.
 */
export async function readAgain(path: string): Promise<Buffer | null> {
	// Windows knows no such flag, and no such pipes in folders.
	const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
	const found = await file.stat();
	if (found.isFile() || found.isDirectory()) return collect(file.createReadStream());
	await file.close();
	throw Object.assign(new Error('it is no file any more'), { code: 'ENOTFILE' });
}

async function collect(input: AsyncIterable<Uint8Array | string>): Promise<Buffer | null> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of input) {
		const bytes = Buffer.from(chunk);
		size += bytes.length;
		if (size > MAX_CONFIG_BYTES) {
			return null;
		}
		chunks.push(bytes);
	}
	return Buffer.concat(chunks);
}

function readFault(error: unknown, again: boolean): [message: string, remedy: string] {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	const elsewhere = again ? putBack : 'give the path with -f';
	switch (code) {
		case 'ENOENT':
			return ['there is no such file', elsewhere];
		case 'ENOTDIR':
			return ['a part of the path is no directory', elsewhere];
		case 'EISDIR':
			return ['is a directory', again ? putBack : 'name the file in it'];
		case 'ENOTFILE':
			return ['is no file any more', putBack];
		case 'EACCES':
		case 'EPERM':
			return ['may not be read by this user', 'change its permissions'];
		default:
			return [`cannot be read: ${error instanceof Error ? error.message : String(error)}`, ''];
	}
}

const putBack = 'put the file back, or start the gateway with another path';
