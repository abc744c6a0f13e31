import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PackedReader, PackedWriter } from './packed.ts';

const text = fc.string({ unit: 'grapheme' });
const bytes = fc.uint8Array().map((array): Buffer => Buffer.from(array));
const fields = fc.record({
	number: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
	flag: fc.boolean(),
	byte: fc.integer({ min: 0, max: 255 }),
	text: fc.option(text),
	bytes: fc.option(bytes),
	name: text,
	body: bytes,
});
type Fields = typeof fields extends fc.Arbitrary<infer T> ? T : never;

function pack(value: Fields): Buffer {
	const writer = new PackedWriter();
	writer.number(value.number);
	writer.flag(value.flag);
	writer.byte(value.byte);
	writer.text(value.text);
	writer.bytes(value.bytes);
	writer.text(value.name);
	writer.bytes(value.body);
	return writer.finish();
}

function unpack(packed: Buffer): Fields | null {
	const reader = new PackedReader(packed);
	const value = {
		number: reader.number(),
		flag: reader.flag(),
		byte: reader.byte(),
		text: reader.textOrNull(),
		bytes: reader.bytesOrNull(),
		name: reader.text(),
		body: reader.bytes(),
	};
	return reader.finish() ? value : null;
}

describe('packed fields', () => {
	test('come back as they were', () => {
		fc.assert(
			fc.property(fields, (value) => {
				expect(unpack(pack(value))).toEqual(value);
			}),
		);
	});

	test('are refused when cut or longer', () => {
		fc.assert(
			fc.property(fields, fc.nat(), (value, at) => {
				const packed = pack(value);
				expect(unpack(packed.subarray(0, at % packed.length))).toBeNull();
				expect(unpack(Buffer.concat([packed, Buffer.alloc(1)]))).toBeNull();
			}),
		);
	});

	test('have one form only: any bytes are refused, or are what their fields are packed to', () => {
		fc.assert(
			fc.property(fc.oneof(bytes, fields.map(pack)), fc.nat(), fc.integer({ min: 0, max: 255 }), (packed, at, byte) => {
				const changed = Buffer.from(packed);
				if (changed.length > 0) changed[at % changed.length] = byte;
				const value = unpack(changed);
				if (value !== null) expect(pack(value)).toEqual(changed);
			}),
		);
	});
});

describe('a field is refused', () => {
	const packed = (write: (writer: PackedWriter) => void): PackedReader => {
		const writer = new PackedWriter();
		write(writer);
		return new PackedReader(writer.finish());
	};

	test('when it is null and must not be', () => {
		const reader = packed((writer) => writer.text(null));
		expect([reader.text(), reader.finish()]).toEqual(['', false]);
		const other = packed((writer) => writer.bytes(null));
		expect([other.bytes(), other.finish()]).toEqual([Buffer.alloc(0), false]);
	});

	test('when it is no UTF-8', () => {
		const reader = packed((writer) => writer.bytes(Buffer.from([0xff])));
		expect([reader.text(), reader.finish()]).toEqual(['', false]);
	});

	test('when a flag is neither 0 nor 1', () => {
		const reader = new PackedReader(Buffer.from([2]));
		expect([reader.flag(), reader.finish()]).toEqual([false, false]);
	});

	test('with an exception when it is written too long', () => {
		const writer = new PackedWriter();
		writer.bytes(Buffer.alloc(65_534));
		expect(() => writer.bytes(Buffer.alloc(65_535))).toThrow(RangeError);
		expect(() => writer.number(2 ** 48)).toThrow(RangeError);
		expect(() => writer.byte(256)).toThrow(RangeError);
	});
});

test('a list of any length ends with its bytes', () => {
	const writer = new PackedWriter();
	for (const item of ['one', 'two', 'three']) writer.text(item);
	const packed = writer.finish();
	const read = (reader: PackedReader): string[] | null => {
		const items: string[] = [];
		while (!reader.ended) items.push(reader.text());
		return reader.finish() ? items : null;
	};
	expect(read(new PackedReader(packed))).toEqual(['one', 'two', 'three']);
	expect(read(new PackedReader(packed.subarray(0, -1)))).toBeNull();
});
