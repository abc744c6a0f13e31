import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silent } from '../../test/support/silent-logger.ts';
import { editConfig } from '../config/edit.ts';
import type { Problem } from '../config/ir.ts';
import type { LoadResult } from '../config/load.ts';
import { loadConfig } from '../config/load.ts';
import { readConfigSource } from '../config/read.ts';
import { ConfigEditor, tagOf } from './config-editor.ts';
import { movedSecrets } from './moved-secrets.ts';
import { type ConfigFile, Reload } from './reload.ts';

let folder = '';
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'agentgateway-editor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function yaml(name: string): string {
	return `mcp:\n  port: 3000\n  targets:\n  - name: ${name}\n    mcp: { host: http://localhost:1/mcp }\n`;
}

/** An editor of a file with one target, and what has come into effect; `checked` is called with each text that is checked. */
function editorOf(
	checked: (text: string, file: string) => void,
	more: Partial<ConfigFile> = {},
	problemsOf: (reload: Reload) => Problem[] = () => [],
) {
	const path = join(folder, 'config.yaml');
	writeFileSync(path, yaml('first'));
	const check = async (text: string): Promise<LoadResult> => {
		const loaded = loadConfig({ name: path, text }, { env: {}, foreseenFault: () => null });
		checked(text, path);
		return loaded;
	};
	const file: ConfigFile = {
		path,
		read: () => readConfigSource({ kind: 'file', path, again: true }),
		check,
		edit: async (text, document) => {
			const edited = editConfig(text, document);
			return edited === null ? { refused: 'no YAML' } : { text: edited };
		},
		movedSecrets: async (...all) => movedSecrets(...all),
		close() {},
		...more,
	};
	const first = loadConfig({ name: path, text: yaml('first') }, { env: {}, foreseenFault: () => null });
	if (!first.ok) throw new Error('the test has a wrong configuration');
	const applied: string[] = [];
	const reload: Reload = new Reload({
		file,
		started: first.config.settings,
		text: yaml('first'),
		references: [],
		logger: silent,
		apply: async ({ text }) => {
			const problems = problemsOf(reload);
			if (problems.length === 0) applied.push(text);
			return problems;
		},
		show: () => {},
	});
	return { editor: new ConfigEditor(file, reload, () => first), reload, path, applied };
}

/** Adds a target to a document of the configuration. */
function withTarget(document: unknown, name: string): { value: unknown } {
	const { mcp } = document as { mcp: { targets: unknown[] } };
	const targets = [...mcp.targets, { name, mcp: { host: 'http://localhost:2/mcp' } }];
	return { value: { ...(document as object), mcp: { ...mcp, targets } } };
}

function once(act: (file: string) => void): (text: string, file: string) => void {
	let done = false;
	return (_text, file) => {
		if (done) return;
		done = true;
		act(file);
	};
}

test('a change by hand while a write is checked is kept: the write is made of what stands there then', async () => {
	const { editor, path, applied } = editorOf(once((file) => writeFileSync(file, `# by hand\n${yaml('second')}`)));
	const written = await editor.write({ tag: null, trusted: true, value: (document) => withTarget(document, 'third') });
	expect(written).toMatchObject({ outcome: 'applied' });
	const text = readFileSync(path, 'utf8');
	expect(text).toContain('# by hand');
	expect(text).toContain('name: second');
	expect(text).toContain('name: third');
	expect(text).not.toContain('name: first');
	expect(applied).toEqual([text]);
});

test('who has read the file before the change by hand is told so', async () => {
	const { editor, path, applied } = editorOf(once((file) => writeFileSync(file, yaml('second'))));
	const tag = tagOf(yaml('first'));
	const written = await editor.write({ tag, trusted: true, value: (document) => withTarget(document, 'third') });
	expect(written).toEqual({ outcome: 'stale', tag: tagOf(yaml('second')) });
	expect(readFileSync(path, 'utf8')).toBe(yaml('second'));
	expect(applied).toEqual([]);
});

test.runIf(process.platform === 'linux')(
	'a save that comes while the new text is on its way to the disk is kept',
	async () => {
		const { editor, path, applied } = editorOf(() => {});
		const stop = whenWritten(() => {
			writeFileSync(`${path}~`, `# by hand\n${yaml('second')}`);
			renameSync(`${path}~`, path);
		});
		const written = await editor.write({
			tag: null,
			trusted: true,
			value: (document) => withTarget(document, 'third'),
		});
		stop();
		expect(written).toMatchObject({ outcome: 'applied' });
		const text = readFileSync(path, 'utf8');
		expect(text).toContain('# by hand');
		expect(text).toContain('name: third');
		expect(applied).toEqual([text]);
		expect(readdirSync(folder)).toEqual(['config.yaml']);
	},
);

test.runIf(process.platform === 'linux')('a save that comes while a text is put back is kept', async () => {
	const problems = [[taken], []];
	const byHand = `# by hand\n${yaml('second')}`;
	const { editor, path, applied } = editorOf(
		() => {},
		{},
		() => {
			const [next = []] = problems.splice(0, 1);
			if (next.length > 0) stop = whenWritten(() => writeFileSync(path, byHand));
			return next;
		},
	);
	let stop = () => {};
	const written = await editor.write({ tag: null, trusted: true, value: (document) => withTarget(document, 'third') });
	stop();
	expect(written).toMatchObject({ outcome: 'refused', problems: [taken], written: false });
	expect(readFileSync(path, 'utf8')).toBe(byHand);
	expect(applied).toEqual([byHand]);
});

/** Elsewhere, watching is too slow. Calls `act` once, when a new text stands beside the file and has not taken its place. */
function whenWritten(act: () => void): () => void {
	const watcher = watch(folder, (_event, name) => {
		if (name?.endsWith('.tmp') !== true || !existsSync(join(folder, name))) return;
		watcher.close();
		act();
	});
	return () => watcher.close();
}

test('writes of several come one after the other, each on top of the last', async () => {
	const { editor, path } = editorOf(() => {});
	const names = ['second', 'third', 'fourth'];
	const all = names.map((name) =>
		editor.write({ tag: null, trusted: true, value: (document) => withTarget(document, name) }),
	);
	expect((await Promise.all(all)).map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied']);
	const text = readFileSync(path, 'utf8');
	for (const name of ['first', ...names]) expect(text).toContain(`name: ${name}`);
});

test('a present text that cannot be read to its end is not taken for one with errors: its secrets would be lost', async () => {
	const { editor, path } = editorOf(() => {
		throw new Error('it took longer than 60 s');
	});
	const value = vi.fn<(document: unknown) => { value: unknown }>();
	await expect(editor.write({ tag: null, trusted: true, value })).rejects.toThrow('it took longer than 60 s');
	expect(value).not.toHaveBeenCalled();
	expect(readFileSync(path, 'utf8')).toBe(yaml('first'));
});

test('a text that would be too large to be read is not written', async () => {
	const { editor, path } = editorOf(() => {}, { edit: async () => ({ refused: 'too large' }) });
	const written = await editor.write({ tag: null, trusted: true, value: (document) => withTarget(document, 'second') });
	expect(written).toMatchObject({
		outcome: 'invalid',
		problems: [{ file: path, message: 'the text would be larger than 5 MB' }],
	});
	expect(readFileSync(path, 'utf8')).toBe(yaml('first'));
});

test.each([
	['checked', 1],
	['found good', 2],
])('a write that is %s while the gateway stops changes nothing, and says so', async (_title, at) => {
	let checks = 0;
	const one = editorOf(() => {
		if (++checks === at) void one.reload.stop();
	});
	const written = await one.editor.write({
		tag: null,
		trusted: true,
		value: (document) => withTarget(document, 'second'),
	});
	expect(written).toEqual({ outcome: 'stopping', written: false });
	expect(readFileSync(one.path, 'utf8')).toBe(yaml('first'));
	expect(one.applied).toEqual([]);
});

const taken = { file: 'config.yaml', line: 2, column: 9, path: 'mcp.port', message: 'the port is taken', remedy: '' };

test('what cannot come into effect is taken back, also when the gateway stops meanwhile', async () => {
	const value = (document: unknown) => withTarget(document, 'second');
	const refused = editorOf(
		() => {},
		{},
		() => [taken],
	);
	expect(await refused.editor.write({ tag: null, trusted: true, value })).toMatchObject({
		outcome: 'refused',
		problems: [taken],
	});
	expect(readFileSync(refused.path, 'utf8')).toBe(yaml('first'));
	const ending = editorOf(
		() => {},
		{},
		(reload) => {
			void reload.stop();
			return [taken];
		},
	);
	expect(await ending.editor.write({ tag: null, trusted: true, value })).toEqual({
		outcome: 'stopping',
		written: false,
	});
	expect(readFileSync(ending.path, 'utf8')).toBe(yaml('first'));
});

test('what has come into effect when the gateway stops is said to have', async () => {
	const { editor, path, applied } = editorOf(
		() => {},
		{},
		(reload) => {
			void reload.stop();
			return [];
		},
	);
	const value = (document: unknown) => withTarget(document, 'second');
	expect(await editor.write({ tag: null, trusted: true, value })).toMatchObject({ outcome: 'applied' });
	expect(applied).toEqual([readFileSync(path, 'utf8')]);
});

test('a write gives up when the file is another each time', async () => {
	let changes = 0;
	const { editor, path } = editorOf((_text, file) => writeFileSync(file, `# ${++changes}\n${yaml('first')}`));
	const value = (document: unknown) => withTarget(document, 'second');
	const written = await editor.write({ tag: null, trusted: true, value });
	expect(written).toEqual({ outcome: 'stale', tag: tagOf(readFileSync(path, 'utf8')) });
	expect(readFileSync(path, 'utf8')).not.toContain('second');
});

test.each<[string, string | Buffer, RegExp]>([
	['that is being edited', `${yaml('first')}# notes\n  - {`, /not valid YAML|opened here/],
	['in another encoding', Buffer.from(`# für Zürich\n${yaml('first')}`, 'latin1'), /not UTF-8/],
	['that was emptied', '', /empty/],
	[
		'that is YAML only with its variables',
		yaml('first').replace('{ host: http://localhost:1/mcp }', '{ host: ${A} }'),
		/[^]/,
	],
])('a file %s keeps its bytes, unless a whole text is sent', async (_title, bytes, message) => {
	const { editor, path } = editorOf(() => {});
	writeFileSync(path, bytes);
	const value = () => ({ value: { mcp: { port: 3000, targets: [] } } });
	const written = await editor.write({ tag: null, trusted: true, value });
	expect(written).toMatchObject({
		outcome: 'unreadable',
		problems: [{ message: expect.stringMatching(message) as string }],
	});
	expect(readFileSync(path)).toEqual(Buffer.from(bytes));
	const whole = await editor.write({ tag: null, trusted: true, value: () => ({ value: yaml('second') }) });
	expect(whole).toMatchObject({ outcome: 'applied' });
	expect(readFileSync(path, 'utf8')).toBe(yaml('second'));
});

test('what stood in another encoding is put back byte for byte', async () => {
	const { editor, path } = editorOf(
		() => {},
		{},
		() => [taken],
	);
	const bytes = Buffer.from(`# für Zürich\n${yaml('first')}`, 'latin1');
	writeFileSync(path, bytes);
	const value = () => ({ value: yaml('second') });
	expect(await editor.write({ tag: null, trusted: true, value })).toMatchObject({ outcome: 'refused', written: false });
	expect(readFileSync(path)).toEqual(bytes);
});

test('what fails because the gateway stops is no fault', async () => {
	const one = editorOf(() => {
		void one.reload.stop();
		throw new Error('it was closed');
	});
	const value = (document: unknown) => withTarget(document, 'second');
	expect(await one.editor.write({ tag: null, trusted: true, value })).toEqual({ outcome: 'stopping', written: false });
});

test('a reload that is stopped while it reads the file checks nothing any more', async () => {
	const checked = vi.fn<() => void>();
	const { reload, path, applied } = editorOf(checked);
	writeFileSync(path, yaml('second'));
	const view = reload.reload('asked to');
	await Promise.resolve();
	await reload.stop();
	expect(await view).toMatchObject({ synchronized: true });
	expect(checked).not.toHaveBeenCalled();
	expect(applied).toEqual([]);
});

test('a text that is not read to its end leaves the old one in effect, with a reason', async () => {
	const { reload, path, applied } = editorOf(() => {
		throw new Error('it took longer than 60 s');
	});
	writeFileSync(path, yaml('second'));
	expect(await reload.reload('asked to')).toMatchObject({
		synchronized: false,
		errors: [
			{
				message: 'it could not be read to its end: it took longer than 60 s',
				remedy: 'if it is the right file, write it again, or send SIGHUP',
			},
		],
	});
	expect(applied).toEqual([]);
});

test('a text for which the time was too short is tried again, and told once, until the gateway stops', async () => {
	const checked = vi.fn<() => void>();
	const { reload, path } = editorOf(() => {
		checked();
		throw Object.assign(new Error('it took longer than 60 s'), { code: 'ETIMEDOUT' });
	});
	writeFileSync(path, yaml('second'));
	const view = await reload.reload('asked to');
	expect(view.errors).toMatchObject([{ remedy: 'it is tried again until it can be' }]);
	await vi.waitFor(() => expect(checked).toHaveBeenCalledTimes(2), { timeout: 5000 });
	const next = await reload.reload('asked to');
	expect(next.since).toBe(view.since);
	await reload.stop();
	await new Promise((resolve) => setTimeout(resolve, 1500));
	expect(checked).toHaveBeenCalledTimes(3);
});
