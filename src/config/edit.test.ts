import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { editConfig } from './edit.ts';

const text = `# The gateway of the team.
config:
  logging: { level: info } # quiet

binds:
- port: 3000 # the usual one
  listeners:
  - routes:
    # What everybody uses.
    - name: tools
      backends:
      - mcp:
          targets:
          # Time is first.
          - name: time
            stdio:
              cmd: uvx
              args: ["mcp-server-time"]
          - name: 'files' # read only
            mcp:
              host: $FILES_URL
`;

function editText(written: string, value: unknown): string {
	const result = editConfig(written, value);
	if (result === null) throw new Error('it was not edited');
	return result;
}

interface Config {
	config?: { logging?: { level?: string }; publicUrl?: string };
	binds: {
		port: number;
		listeners: {
			routes: { backends: { mcp: { targets: { name: string; mcp?: { host: string }; tools?: object }[] } }[] }[];
		}[];
	}[];
}

function change(edit: (config: Config) => void, written = text): string {
	const value = parse(written, { merge: true }) as Config;
	edit(value);
	const result = editText(written, value);
	expect(parse(result, { merge: true })).toEqual(value);
	return result;
}

function targets(config: Config) {
	return config.binds[0]?.listeners[0]?.routes[0]?.backends[0]?.mcp.targets ?? [];
}

/** Lines that only one of the two has. */
function difference(before: string, after: string): string[] {
	const [one, other] = [before.split('\n'), after.split('\n')];
	return [
		...one.filter((line) => !other.includes(line)).map((line) => `-${line}`),
		...other.filter((line) => !one.includes(line)).map((line) => `+${line}`),
	];
}

describe('an edit', () => {
	test('that changes nothing changes nothing', () => {
		expect(change(() => {})).toBe(text);
	});

	test('of one value changes its line', () => {
		const result = change((config) => {
			if (config.binds[0]) config.binds[0].port = 3001;
		});
		expect(difference(text, result)).toEqual(['-- port: 3000 # the usual one', '+- port: 3001 # the usual one']);
	});

	test('adds an entry, and leaves the others with their comments', () => {
		const result = change((config) => void targets(config).unshift({ name: 'new', mcp: { host: 'http://x/' } }));
		expect(difference(text, result)).toEqual(['+          - name: new', '+              host: http://x/']);
		expect(result).toContain('# Time is first.\n');
	});

	test('removes an entry with what belongs to it', () => {
		const result = change((config) => void targets(config).pop());
		expect(result).not.toContain('files');
		expect(result).toContain('# Time is first.\n          - name: time');
	});

	test('moves an entry with its comments', () => {
		const result = change((config) => void targets(config).reverse());
		expect(result.indexOf("- name: 'files' # read only")).toBeLessThan(result.indexOf('- name: time'));
		expect(result).toContain('host: $FILES_URL');
	});

	test('moves or removes the first entry with its comment, and leaves alone what is about the list', () => {
		expect(change((config) => void targets(config).reverse())).toContain('# Time is first.\n          - name: time');
		expect(change((config) => void targets(config).shift())).not.toContain('Time is first');
		const written =
			'a:\n  # All of them.\n\n  # The first.\n  # Truly.\n  - x: 1\n  # The second.\n  - x: 2\nb: # beside\n  - 1\n  - 2\n';
		const value = { a: [{ x: 2 }, { x: 1 }], b: [2] };
		const result = editText(written, value);
		expect(parse(result)).toEqual(value);
		expect(result).toContain(
			'a:\n  # All of them.\n\n  # The second.\n  - x: 2\n  # The first.\n  # Truly.\n  - x: 1\n',
		);
		expect(result).toMatch(/# beside\n *- 2\n/);
		expect(editText(written, { a: [], b: [1, 2] })).not.toContain('Truly');
	});

	test('adds and removes keys', () => {
		const added = change((config) => {
			if (config.config) config.config.publicUrl = 'https://mcp.example';
		});
		expect(difference(text, added)).toEqual(['+  publicUrl: https://mcp.example']);
		expect(change((config) => void delete config.config, text)).toContain('# the usual one');
	});
});

describe('other texts', () => {
	test('lines that end as on Windows stay so, and are no reason to lay them out anew', () => {
		const windows = text.replaceAll('\n', '\r\n');
		const add = (config: Config) => void targets(config).push({ name: 'new', mcp: { host: 'http://x/' } });
		expect(change(add, windows)).toBe(change(add).replaceAll('\n', '\r\n'));
		expect(editText('{"binds":\r\n []}\r\n', { a: 1 })).toBe('{\r\n  "a": 1\r\n}\r\n');
		const block = 'a: |\r\n  one\r\n  two\r\nb: 1\r\n';
		expect(editText(block, { a: 'one\ntwo\n', b: 2 })).toBe(block.replace('b: 1', 'b: 2'));
	});

	test('JSON stays JSON', () => {
		expect(editConfig('{"binds": []}', { binds: [], mcp: {} })).toBe('{\n  "binds": [],\n  "mcp": {}\n}\n');
	});

	test('lists that are set in stay set in', () => {
		const written = 'binds:\n  - port: 1\n    listeners: []\n  # next\n  - port: 2   # two\n    listeners: []\n';
		const result = editText(written, {
			binds: [
				{ port: 1, listeners: [] },
				{ port: 3, listeners: [] },
			],
		});
		expect(difference(written, result)).toEqual(['-  - port: 2   # two', '+  - port: 3 # two']);
	});

	test('anchors that would be lost, and merged mappings, are written out', () => {
		const written = 'a: &x { k: 1 }\nb: *x\nc:\n  <<: *x\n  m: 2\n';
		for (const value of [
			{ b: { k: 1 }, c: { k: 1, m: 2 } },
			{ a: { k: 1 }, b: { k: 2 }, c: { k: 3, m: 2 } },
			{ a: { k: 5 }, b: { k: 1 }, c: { m: 2 } },
		]) {
			expect(parse(editText(written, value), { merge: true })).toEqual(value);
		}
	});

	test('an anchor that goes leaves what its aliases stand for, and all comments', () => {
		const written = `# top
targets:
# first
- name: a
  mcp: &m
    host: http://x/ # where it is
# second
- name: b
  mcp: *m # the same
- name: c
  mcp: *m
# other
other: &o { k: 1 }
more: *o
`;
		const value = parse(written) as { targets: unknown[] };
		value.targets.shift();
		const result = editText(written, value);
		expect(parse(result)).toEqual(value);
		expect(result).not.toContain('*m');
		for (const comment of ['# top', '# second', '# where it is', '# the same', '# other'])
			expect(result).toContain(comment);
		expect(result).not.toContain('# first');
		expect(editText(written, { ...value, targets: [] })).toContain('# other\n');
	});

	test('a text that is no YAML by itself is not replaced', () => {
		expect(editConfig('a: [', { a: [1] })).toBe(null);
		expect(editConfig('a: [x, ${Y}]\n', { a: [1] })).toBe(null);
	});

	test('texts that look like something else keep their meaning', () => {
		const value = { a: 'true', b: '0x10', c: '# no comment', d: 'x: y', e: '', f: '\n', g: '$X', h: '<<' };
		expect(parse(editText('a: b\n', value))).toEqual(value);
	});
});
