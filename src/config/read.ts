import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { Problem } from './ir.ts';
import type { ConfigSource } from './load.ts';

/** Where configuration text comes from: `-f PATH`, `-f -`, or `-c TEXT`. */
export type ConfigOrigin =
	| { kind: 'file'; path: string }
	| { kind: 'stdin'; input: AsyncIterable<Uint8Array | string> }
	| { kind: 'text'; text: string };

/** The text, or the one problem that kept it from being read. */
export type ReadResult = { ok: true; source: ConfigSource } | { ok: false; problems: Problem[] };

/** Larger files are refused. */
export const MAX_CONFIG_BYTES = 5_000_000;

/**
 * Reads configuration text as UTF-8, at most 5 MB. A file that is missing, unreadable, a directory, empty, too large or no
 * text gives a problem; nothing is thrown.
 */
export async function readConfigSource(origin: ConfigOrigin): Promise<ReadResult> {
	const name = nameOf(origin);
	const refuse = (message: string, remedy = ''): ReadResult => ({
		ok: false,
		problems: [{ file: name, line: 0, column: 0, path: '', message, remedy }],
	});
	let bytes: Buffer | null;
	try {
		bytes = origin.kind === 'text' ? Buffer.from(origin.text) : await collect(openInput(origin));
	} catch (error) {
		return refuse(...readFault(error));
	}
	if (bytes === null || bytes.length > MAX_CONFIG_BYTES) {
		return refuse('larger than 5 MB', 'is it the right file?');
	}
	if (!isUtf8(bytes) || bytes.includes(0)) {
		return refuse('not UTF-8 text', 'is it the right file?');
	}
	const text = bytes.toString('utf8').replace(/^\ufeff/, '');
	return text.trim() === ''
		? refuse(`the ${emptyThing(origin)} is empty`, 'write at least one of binds, gateways or mcp')
		: { ok: true, source: { name, text } };
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

function openInput(origin: Exclude<ConfigOrigin, { kind: 'text' }>): AsyncIterable<Uint8Array | string> {
	// A stream, not readFile: pipes such as <(…) have no size, and an endless device must not fill the memory.
	return origin.kind === 'stdin' ? origin.input : createReadStream(origin.path);
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

function readFault(error: unknown): [message: string, remedy: string] {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	switch (code) {
		case 'ENOENT':
			return ['there is no such file', 'give the path with -f'];
		case 'ENOTDIR':
			return ['a part of the path is no directory', 'give the path with -f'];
		case 'EISDIR':
			return ['is a directory', 'name the file in it'];
		case 'EACCES':
		case 'EPERM':
			return ['may not be read by this user', 'change its permissions'];
		default:
			return [`cannot be read: ${error instanceof Error ? error.message : String(error)}`, ''];
	}
}
