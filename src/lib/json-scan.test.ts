import { describe, expect, test } from 'vitest';
import { everywhere, isScanFault, type Look, type Member, scanJson } from './json-scan.ts';

function scan(text: string, look: Look = {}) {
	return scanJson(Buffer.from(text), look);
}

function value(text: string, member: Member | undefined): unknown {
	return member === undefined ? undefined : JSON.parse(Buffer.from(text).subarray(member.start, member.end).toString());
}

test('more members are not recorded than memory is there for; what nobody looks into is no matter', () => {
	const many = `{"a":[${'1,'.repeat(600_000)}1]}`;
	expect(scan(many, { a: { '[]': {} } })).toMatchObject({ fault: 'members' });
	expect(scan(many, everywhere)).toMatchObject({ fault: 'members' });
	expect(isScanFault(scan(many, {}))).toBe(false);
});

describe('what is accepted', () => {
	const texts = [
		'{}',
		'[]',
		' { "a" : [ 1 , -0 , 1.5e+10 , true , false , null , "x\\u00e9\\n" ] } ',
		'12345678901234567890',
		'1e400',
		'"é😀"',
		'{"":{"":[[]]}}',
		`${'['.repeat(128)}${']'.repeat(128)}`,
	];
	test.each(texts)('%s', (text) => {
		expect(isScanFault(scan(text))).toBe(false);
		JSON.parse(text);
	});
});

describe('what is refused', () => {
	test.each([
		['', 'syntax'],
		['{', 'syntax'],
		['{"a":1,}', 'syntax'],
		['[1,]', 'syntax'],
		['{"a" 1}', 'syntax'],
		['{a:1}', 'syntax'],
		['01', 'syntax'],
		['1.', 'syntax'],
		['+1', 'syntax'],
		['.5', 'syntax'],
		['1e', 'syntax'],
		['tru', 'syntax'],
		['"\\x"', 'syntax'],
		['"\\u00g0"', 'syntax'],
		['"open', 'syntax'],
		['{} {}', 'syntax'],
		['\uFEFF{}', 'syntax'],
		['"a\nb"', 'control-character'],
		['"a\u0000"', 'control-character'],
		['{"a":1,"\\u0061":2}', 'duplicate-key'],
		[`${'['.repeat(129)}${']'.repeat(129)}`, 'depth'],
		[`${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, 'depth'],
	])('%s: %s', (text, fault) => {
		expect(scan(text)).toMatchObject({ fault });
	});
	test('bytes that are not UTF-8', () => {
		expect(scanJson(Buffer.from([0x22, 0xff, 0x22]), {})).toMatchObject({ fault: 'utf-8' });
	});
});

test('members of the objects asked for, and of no other', () => {
	const text = '{"method":"tools/call","params":{"name":"a","_meta":{"x":{"y":1}},"arguments":{"name":"b"}},"id":7}';
	const scanned = scan(text, { params: { _meta: {} } });
	if (isScanFault(scanned)) throw new Error(scanned.fault);
	expect(scanned.members?.map((m) => m.key)).toEqual(['method', 'params', 'id']);
	const params = scanned.members?.[1];
	expect(params?.members?.map((m) => m.key)).toEqual(['name', '_meta', 'arguments']);
	expect(params?.members?.[1]?.members?.map((m) => m.key)).toEqual(['x']);
	expect(params?.members?.[2]?.members).toBeNull();
	expect(value(text, params?.members?.[0])).toBe('a');
	expect(value(text, scanned.members?.[2])).toBe(7);
});

test('items of an array asked for', () => {
	const text = '{"tools":[{"name":"a"},7,{"name":"b"}],"other":[{"name":"c"}]}';
	const scanned = scan(text, { tools: { '[]': {} } });
	if (isScanFault(scanned)) throw new Error(scanned.fault);
	const items = scanned.members?.[0]?.members ?? [];
	expect(items.map((item) => value(text, item))).toEqual([{ name: 'a' }, 7, { name: 'b' }]);
	expect(items.map((item) => value(text, item.members?.[0]))).toEqual(['a', undefined, 'b']);
	expect(scanned.members?.[1]?.members).toBeNull();
});

test('a look does not reach through an array', () => {
	const scanned = scan('{"params":[{"a":1}]}', { params: {} });
	expect('members' in scanned && scanned.members?.[0]?.members).toBeNull();
});

test('line breaks outside strings become spaces, escaped ones stay', () => {
	const text = Buffer.from('{\r\n"a":\n"x\\ny",\n"b":[\n1\n]\n}\n');
	expect(isScanFault(scanJson(text, {}))).toBe(false);
	expect(text.includes(0x0a) || text.includes(0x0d)).toBe(false);
	expect(JSON.parse(text.toString())).toEqual({ a: 'x\ny', b: [1] });
});

test('keys of the prototype are ordinary keys', () => {
	const scanned = scan('{"__proto__":{"a":1},"constructor":{"b":2}}', {});
	expect('members' in scanned && scanned.members?.map((m) => [m.key, m.members])).toEqual([
		['__proto__', null],
		['constructor', null],
	]);
});

describe('objects of many members', () => {
	const keys = Array.from({ length: 60_000 }, (_, i) => `"k${i}":${i}`);
	test('are read in time that grows with their length only', () => {
		const text = `{${keys.join(',')}}`;
		const before = performance.now();
		const scanned = scan(text);
		expect(performance.now() - before).toBeLessThan(1_500);
		expect('members' in scanned && scanned.members?.length).toBe(keys.length);
	});
	test.each([0, 23, 24, 25, 59_999])('may not repeat the key at %i', (at) => {
		const text = `{${[...keys, keys[at]].join(',')}}`;
		expect(scan(text)).toMatchObject({ fault: 'duplicate-key', at: text.lastIndexOf(`"k${at}"`) });
	});
});

test('looking everywhere records every object and array', () => {
	const text = '{"a":[{"b":{"c":[1,{"d":2}]}}],"__proto__":{"e":3}}';
	const scanned = scan(text, everywhere);
	if (isScanFault(scanned)) throw new Error(scanned.fault);
	const paths: string[] = [];
	const walk = (members: readonly Member[] | null, path: string) => {
		for (const member of members ?? []) {
			paths.push(`${path}/${member.key}`);
			walk(member.members, `${path}/${member.key}`);
		}
	};
	walk(scanned.members, '');
	const below = ['', '/b', '/b/c', '/b/c/0', '/b/c/1', '/b/c/1/d'].map((path) => `/a/0${path}`);
	expect(paths).toEqual(['/a', ...below, '/__proto__', '/__proto__/e']);
});

test('random documents agree with JSON.parse', () => {
	let seed = 42;
	const random = (n: number) => {
		seed = (seed * 1103515245 + 12345) & 0x7fffffff;
		return seed % n;
	};
	const alphabet = '{}[]",:\\u0eE+-.1 \n\ttrfalsn';
	let accepted = 0;
	for (let i = 0; i < 50_000; i++) {
		let text = '';
		for (let n = random(9); n >= 0; n--) text += alphabet[random(alphabet.length)];
		let valid = true;
		try {
			JSON.parse(text);
		} catch {
			valid = false;
		}
		const scanned = scan(text);
		const duplicate = isScanFault(scanned) && scanned.fault === 'duplicate-key';
		if (!duplicate) expect([text, !isScanFault(scanned)]).toEqual([text, valid]);
		if (valid) accepted++;
	}
	expect(accepted).toBeGreaterThan(150);
});
