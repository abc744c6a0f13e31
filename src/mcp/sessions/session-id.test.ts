import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeal } from '../../lib/seal.ts';
import { openSessionId, type SessionIdContent, sealSessionId, sessionKey } from './session-id.ts';

const key = Buffer.alloc(32, 3);
const seal = createSeal(key, 'session id');
/** Seals nothing, so that a test can write content itself. */
const open = { seal: (plain: Buffer) => plain.toString('base64url'), unseal: bytesOf, sealedLength: seal.sealedLength };

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const object = fc.json({ maxDepth: 2 }).map((json): Buffer => Buffer.from(`{"x":${json}}`));
const contents: fc.Arbitrary<SessionIdContent> = fc.record({
	backend: text,
	principal: text,
	issuedAt: fc.integer({ min: 0, max: 2 ** 45 }),
	holder: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
	protocolVersion: text,
	clientInfo: fc.option(object),
	capabilities: object,
	logLevel: fc.option(text),
	upstreamSessions: fc.array(fc.record({ target: text, sessionId: fc.option(text), protocolVersion: text }), {
		maxLength: 5,
	}),
	holdsLocal: fc.boolean(),
});

const plain: SessionIdContent = {
	backend: 'default/route0/backend0',
	principal: 'anonymous',
	issuedAt: 1_790_000_000_000,
	holder: '0123456789abcdef',
	protocolVersion: '2025-11-25',
	clientInfo: Buffer.from('{"name":"client","version":"1.0.0"}'),
	capabilities: Buffer.from('{"roots":{},"sampling":{},"elicitation":{}}'),
	logLevel: 'info',
	upstreamSessions: [{ target: 'time', sessionId: '5f4d1c9e-8a2b', protocolVersion: '2025-11-25' }],
	holdsLocal: false,
};

function bytesOf(text: string): Buffer {
	return Buffer.from(text, 'base64url');
}

function json(size: number): Buffer {
	return Buffer.from(`{"x":"${'y'.repeat(size - 8)}"}`);
}

describe('a session id', () => {
	test('gives back what it was made of', () => {
		fc.assert(
			fc.property(contents, (content) => {
				const { id, resumable } = sealSessionId(content, seal);
				expect(id).toMatch(/^[\w-]{60,4096}$/);
				const unnamed = { ...content, clientInfo: null };
				expect([
					{ ...content, resumable: true },
					{ ...unnamed, resumable: true },
					{ ...unnamed, upstreamSessions: [], resumable: false },
				]).toContainEqual(openSessionId(id, seal));
				expect(openSessionId(id, seal)).toMatchObject({ resumable });
			}),
		);
	});

	test('is short for an ordinary session', () => {
		expect(sealSessionId(plain, seal).id.length).toBeLessThan(400);
	});

	test('is never the same twice, and neither is its key', () => {
		const ids = Array.from({ length: 1000 }, () => sealSessionId(plain, seal).id);
		expect(new Set(ids).size).toBe(1000);
		expect(new Set(ids.map(sessionKey)).size).toBe(1000);
	});

	test('opens for nobody after any change', () => {
		const { id } = sealSessionId(plain, seal);
		fc.assert(
			fc.property(
				fc.nat({ max: id.length - 1 }),
				fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_'),
				(at, character) => {
					fc.pre(id[at] !== character);
					const changed = id.slice(0, at) + character + id.slice(at + 1);
					expect(['malformed', 'forged']).toContain(openSessionId(changed, seal));
				},
			),
		);
		expect(openSessionId(id, createSeal(key, 'request state'))).toBe('forged');
		expect(openSessionId('no id', seal)).toBe('malformed');
	});

	test('is one text for one content: any authentic bytes are refused, or are what their content is made into', () => {
		const packed = contents.map((content) => bytesOf(sealSessionId(content, open).id));
		const any = fc.uint8Array().map((bytes): Buffer => Buffer.from(bytes));
		fc.assert(
			fc.property(fc.oneof(packed, any), fc.nat(), fc.nat({ max: 255 }), (bytes, at, byte) => {
				const changed = Buffer.from(bytes);
				if (changed.length > 0) changed[at % changed.length] = byte;
				const opened = openSessionId(open.seal(changed), open);
				if (opened === 'forged' || opened === 'malformed' || !opened.resumable) return;
				expect(sealSessionId(opened, open).id).toBe(open.seal(changed));
			}),
		);
	});

	test('of content that this version does not know makes the client begin anew', () => {
		const packed = bytesOf(sealSessionId(plain, open).id);
		packed[0] = 2;
		expect(openSessionId(seal.seal(packed), seal)).toBe('forged');
	});
});

describe('an id that would be too long', () => {
	const opened = (content: SessionIdContent): unknown => {
		const sealed = sealSessionId(content, seal);
		expect(sealed.id.length).toBeLessThanOrEqual(4096);
		return openSessionId(sealed.id, seal);
	};
	const many = Array.from({ length: 60 }, (_, at) => ({
		target: `target-${at}`,
		sessionId: 'x'.repeat(50),
		protocolVersion: '2025-11-25',
	}));

	test('keeps all up to 4096 characters exactly', () => {
		const spare = 4096 - sealSessionId({ ...plain, clientInfo: json(8) }, seal).id.length;
		const fitting = { ...plain, clientInfo: json(8 + Math.floor((spare * 3) / 4)) };
		expect(sealSessionId(fitting, seal).id).toHaveLength(4096);
		expect(opened(fitting)).toEqual({ ...fitting, resumable: true });
		const longer = { ...plain, clientInfo: json(9 + Math.floor((spare * 3) / 4)) };
		expect(opened(longer)).toEqual({ ...longer, clientInfo: null, resumable: true });
	});

	test.each([5000, 4 * 1024 * 1024])('loses a clientInfo of %i bytes and stays resumable', (size) => {
		expect(opened({ ...plain, clientInfo: json(size) })).toEqual({ ...plain, clientInfo: null, resumable: true });
	});

	test('loses its upstream sessions next, and says so', () => {
		const expected = { ...plain, clientInfo: null, upstreamSessions: [], resumable: false };
		expect(opened({ ...plain, upstreamSessions: many })).toEqual(expected);
		expect(sealSessionId({ ...plain, upstreamSessions: many }, seal).resumable).toBe(false);
		const huge = [{ target: 'time', sessionId: 'x'.repeat(70_000), protocolVersion: '2025-11-25' }];
		expect(opened({ ...plain, upstreamSessions: huge })).toEqual(expected);
	});

	test.each([4000, 100_000])('loses capabilities of %i bytes last', (size) => {
		const expected = { clientInfo: null, upstreamSessions: [], capabilities: Buffer.from('{}'), resumable: false };
		expect(opened({ ...plain, capabilities: json(size) })).toEqual({ ...plain, ...expected });
	});

	test('is a fault when only its backend key can be blamed', () => {
		expect(() => sealSessionId({ ...plain, backend: 'b'.repeat(4000) }, seal)).toThrow(RangeError);
	});

	test('is malformed when a client sends it', () => {
		expect(openSessionId(seal.seal(Buffer.alloc(3100)), seal)).toBe('malformed');
	});
});
