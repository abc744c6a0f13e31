import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';

test.each([
	['127.0.0.1:15000', { kind: 'tcp', host: '127.0.0.1', port: 15_000 }],
	['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
	['[::]:15020', { kind: 'tcp', host: '::', port: 15_020 }],
	['unix:/run/a.sock', { kind: 'unix', path: '/run/a.sock' }],
	['off', null],
])('%s', (text, address) => {
	expect(parseAddress(text)).toEqual(address);
});

test.each([
	'',
	'15000',
	':15000',
	'example.com:1',
	'127.0.0.1',
	'1.2.3:4',
	'::1:80',
	'[1.2.3.4]:80',
	'localhost:65536',
	'unix:',
])('%j is no address', (text) => {
	expect(parseAddress(text)).toBeUndefined();
});
