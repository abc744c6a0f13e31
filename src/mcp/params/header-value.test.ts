import { describe, expect, test } from 'vitest';
import { decodeHeader, encodeHeader } from './header-value.ts';

describe('writing', () => {
	// The examples of the specification, and the edges around them.
	test.each([
		['us-west1', 'us-west1'],
		['us west 1', 'us west 1'],
		['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
		[' padded ', '=?base64?IHBhZGRlZCA=?='],
		['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
		['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
		['=?base64?=', '=?base64?PT9iYXNlNjQ/PQ==?='],
		['=?BASE64?literal?=', '=?BASE64?literal?='],
		['a\tb', '=?base64?YQli?='],
		['\u007f', '=?base64?fw==?='],
		['', '=?base64??='],
	])('%j becomes %s', (value, header) => {
		expect(encodeHeader(value)).toBe(header);
		expect(decodeHeader(header)).toBe(value);
	});
});

describe('reading', () => {
	test.each([
		['', ''],
		['a\tb', 'a\tb'],
		['SGVsbG8=', 'SGVsbG8='],
		['SGVsbG8=?=', 'SGVsbG8=?='],
		['=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
		['=?Base64?SGVsbG8=?=', '=?Base64?SGVsbG8=?='],
		['=?base64?SGVsbG8=?=', 'Hello'],
	])('%j says %j', (header, value) => {
		expect(decodeHeader(header)).toBe(value);
	});
	test.each([
		['no padding', '=?base64?SGVsbG8?='],
		['foreign characters', '=?base64?SGVs!!!bG8=?='],
		['padding inside', '=?base64?SGVs=bG8?='],
		['padding alone', '=?base64?====?='],
		['Base64 for URLs', '=?base64?-_-_?='],
		['no UTF-8', '=?base64?//4=?='],
		['marks that share a byte', '=?base64?='],
		['a byte beyond ASCII', 'caf\u00e9'],
		['a control character', 'a\u0000b'],
	])('%s is nothing', (_, header) => {
		expect(decodeHeader(header)).toBeNull();
	});
});
