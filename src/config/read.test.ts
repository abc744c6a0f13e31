import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_CONFIG_BYTES, type ReadResult, readConfigSource } from './read.ts';

let folder = '';
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'read-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string | Buffer): { kind: 'file'; path: string } {
	const path = join(folder, 'config.yaml');
	writeFileSync(path, content);
	return { kind: 'file', path };
}

function fault(result: ReadResult): string {
	return result.ok ? 'read' : result.problems.map(({ message, line }) => `${line} ${message}`).join();
}

describe('readConfigSource', () => {
	test('a file keeps the name it was given, and loses its byte order mark', async () => {
		const origin = file('\ufeffmcp: {}\n');
		expect(await readConfigSource(origin)).toEqual({ ok: true, source: { name: origin.path, text: 'mcp: {}\n' } });
	});

	test('stdin in pieces that split a character', async () => {
		const bytes = Buffer.from('a: ä\n');
		async function* input(): AsyncGenerator<Uint8Array> {
			yield bytes.subarray(0, 4);
			yield bytes.subarray(4);
		}
		const result = await readConfigSource({ kind: 'stdin', input: input() });
		expect(result).toEqual({ ok: true, source: { name: '<stdin>', text: 'a: ä\n' } });
	});

	test('text from the command line', async () => {
		const result = await readConfigSource({ kind: 'text', text: 'mcp: {}' });
		expect(result).toEqual({ ok: true, source: { name: '<command line>', text: 'mcp: {}' } });
		expect(fault(await readConfigSource({ kind: 'text', text: ' ' }))).toBe('0 the text is empty');
	});

	test.each([
		['empty', '', '0 the file is empty'],
		['blank', ' \n\t\n', '0 the file is empty'],
		['no text', Buffer.from([0xff, 0xfe, 0x61, 0x00]), '0 not UTF-8 text'],
		['binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x00]), '0 not UTF-8 text'],
	])('a file that is %s', async (_, content, message) => {
		expect(fault(await readConfigSource(file(content)))).toBe(message);
	});

	test('up to 5 MB are read, one byte more is refused', async () => {
		expect(fault(await readConfigSource(file('#'.repeat(MAX_CONFIG_BYTES))))).toBe('read');
		expect(fault(await readConfigSource(file('#'.repeat(MAX_CONFIG_BYTES + 1))))).toBe('0 larger than 5 MB');
	});

	test('an endless input is not read to its end', async () => {
		let chunks = 0;
		async function* endless(): AsyncGenerator<string> {
			for (;;) {
				chunks++;
				yield '#'.repeat(1_000_000);
			}
		}
		expect(fault(await readConfigSource({ kind: 'stdin', input: endless() }))).toBe('0 larger than 5 MB');
		expect(chunks).toBe(6);
	});

	test('a directory, a missing file, a file used as a directory', async () => {
		expect(fault(await readConfigSource({ kind: 'file', path: folder }))).toBe('0 is a directory');
		expect(fault(await readConfigSource({ kind: 'file', path: join(folder, 'no') }))).toBe('0 there is no such file');
		const inside = join(file('x').path, 'config.yaml');
		expect(fault(await readConfigSource({ kind: 'file', path: inside }))).toBe('0 a part of the path is no directory');
	});

	test.skipIf(process.platform === 'win32')('a pipe where a file was is not waited for', async () => {
		const path = join(folder, 'pipe');
		expect(spawnSync('mkfifo', [path]).status).toBe(0);
		expect(await readConfigSource({ kind: 'file', path, again: true })).toMatchObject({
			problems: [{ message: 'is no file any more', remedy: expect.stringContaining('put the file back') as string }],
		});
	});

	test('what is wrong with a file that was there says nothing of flags', async () => {
		const path = join(folder, 'no');
		expect(await readConfigSource({ kind: 'file', path })).toMatchObject({
			problems: [{ remedy: 'give the path with -f' }],
		});
		expect(await readConfigSource({ kind: 'file', path, again: true })).toMatchObject({
			problems: [{ message: 'there is no such file', remedy: expect.stringContaining('put the file back') as string }],
		});
	});

	test('an input that fails while it is read', async () => {
		const failing = (code: string) => ({
			kind: 'stdin' as const,
			input: (async function* (): AsyncGenerator<string> {
				yield 'mcp: {}';
				throw Object.assign(new Error('broken'), { code });
			})(),
		});
		expect(fault(await readConfigSource(failing('EACCES')))).toBe('0 may not be read by this user');
		expect(await readConfigSource(failing('EACCES'))).not.toHaveProperty('passing');
		expect(fault(await readConfigSource(failing('EIO')))).toBe('0 cannot be read: broken');
		expect(await readConfigSource(failing('EIO'))).toHaveProperty('passing', true);
	});
});
