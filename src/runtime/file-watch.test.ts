import {
	mkdirSync,
	mkdtempSync,
	renameSync,
	rmSync,
	symlinkSync,
	truncateSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileWatch } from './file-watch.ts';

let folder: string;
let watch: FileWatch | null = null;
let changes = 0;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'agentgateway-watch-'));
	changes = 0;
});

afterEach(() => {
	watch?.stop();
	watch = null;
	rmSync(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);

async function follow(...names: string[]): Promise<FileWatch> {
	watch = new FileWatch(names.map(at), () => changes++);
	await watch.start();
	return watch;
}

/** Expects that one more change is told, and soon. */
async function told(): Promise<void> {
	const before = changes;
	await vi.waitFor(() => expect(changes).toBe(before + 1), { timeout: 5000, interval: 20 });
	await quiet();
}

/** Expects that nothing is told. */
async function quiet(): Promise<void> {
	const before = changes;
	await new Promise((resolve) => setTimeout(resolve, 700));
	expect(changes).toBe(before);
}

describe('a change is told once', () => {
	test('when the file is written in place, though its size stays the same', async () => {
		writeFileSync(at('f'), 'one');
		await follow('f');
		await quiet();
		writeFileSync(at('f'), 'two');
		await told();
		// Even when somebody sets the time back.
		writeFileSync(at('f'), 'six');
		utimesSync(at('f'), 1, 1);
		await told();
	});

	test('when an editor puts another file in its place', async () => {
		writeFileSync(at('f'), 'one');
		await follow('f');
		writeFileSync(at('.f.swp'), 'two');
		renameSync(at('.f.swp'), at('f'));
		await told();
	});

	test('when Kubernetes swaps the link that leads to it', async () => {
		for (const [name, text] of [
			['..1', 'one'],
			['..2', 'two'],
		] as const) {
			mkdirSync(at(name));
			writeFileSync(join(folder, name, 'f'), text);
		}
		symlinkSync('..1', at('..data'));
		symlinkSync('..data/f', at('f'));
		await follow('f');
		symlinkSync('..2', at('..data_tmp'));
		renameSync(at('..data_tmp'), at('..data'));
		rmSync(at('..1'), { recursive: true });
		await told();
	});

	test('when it vanishes, and when it comes back', async () => {
		writeFileSync(at('f'), 'one');
		await follow('f');
		unlinkSync(at('f'));
		await told();
		writeFileSync(at('f'), 'one');
		await told();
	});

	test('when it becomes a link that leads to itself', async () => {
		writeFileSync(at('f'), 'one');
		await follow('f');
		unlinkSync(at('f'));
		symlinkSync('f', at('f'));
		await told();
	});

	test('when a file that it names changes, from the moment on that it names it', async () => {
		writeFileSync(at('f'), 'one');
		writeFileSync(at('g'), 'one');
		const one = await follow('f');
		writeFileSync(at('g'), 'two');
		await quiet();
		await one.follow([at('f'), at('g')]);
		await quiet();
		writeFileSync(at('g'), 'six');
		await told();
	});
});

test('a file that is being written is left alone until it rests', async () => {
	writeFileSync(at('f'), 'one');
	await follow('f');
	truncateSync(at('f'));
	for (let size = 0; size < 12; size++) {
		writeFileSync(at('f'), 'x'.repeat(size));
		await new Promise((resolve) => setTimeout(resolve, 100));
		expect(changes).toBe(0);
	}
	await told();
});

test('nothing is told after the end', async () => {
	writeFileSync(at('f'), 'one');
	(await follow('f')).stop();
	writeFileSync(at('f'), 'three');
	await quiet();
});
