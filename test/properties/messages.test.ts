import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isScanFault, type Member, scanJson } from '../../src/lib/json-scan.ts';
import type { Edit } from '../../src/lib/splice.ts';
import type { Call, Caller, Inputs } from '../../src/mcp/model.ts';
import { requestText } from '../../src/mcp/upstream/message.ts';
import { isBatch, isEnvelopeFault, readBatch, readEnvelope } from '../../src/mcp/wire/envelope.ts';
import { keyOf, keyText, numberText, objectOf, objectText, stringText, valueText } from './json-text.ts';
import { sameJson } from './same-json.ts';
import './seed.ts';

const caller: Caller = {
	...{ principal: 'anonymous', clientInfo: null, capabilities: Buffer.from('{}'), logLevel: null },
	...{ handshake: false, interactive: false },
};

type Pair = readonly [key: string, text: string];

const pairs = (key: fc.Arbitrary<string>, text: fc.Arbitrary<string>, maxLength: number) =>
	fc.uniqueArray(fc.tuple(key, text), { maxLength, selector: ([one]) => keyOf(one) });

const isNot =
	(...keys: string[]) =>
	(text: string) =>
		!keys.includes(keyOf(text));

/** An object text with its members in any order. */
function shuffled(members: fc.Arbitrary<readonly (readonly [string, string])[]>): fc.Arbitrary<string> {
	return members.chain((all) => fc.shuffledSubarray([...all], { minLength: all.length })).map((all) => objectOf(all));
}

const params = fc
	.record({
		others: pairs(keyText.filter(isNot('_meta', 'name', 'inputResponses', 'requestState')), valueText, 4),
		name: fc.option(stringText, { nil: null }),
		meta: fc.option(pairs(keyText.filter(isNot('progressToken')), valueText, 4), { nil: null }),
	})
	.chain(({ others, name, meta }) => {
		const all: Pair[] = [...others];
		if (name !== null) all.push(['"name"', name]);
		if (meta !== null) all.push(['"_meta"', objectOf(meta)]);
		return shuffled(fc.constant(all));
	});

const optional = (text: fc.Arbitrary<string>) =>
	fc.option(
		text.map((one) => Buffer.from(one)),
		{ nil: null },
	);
const inputs = fc.option(fc.record({ responses: optional(objectText), state: optional(stringText) }), { nil: null });

interface Made {
	readonly call: Call;
	readonly members: readonly Member[];
}

function callOf(
	text: string,
	rename: string | null,
	keptMeta: readonly boolean[],
	inputs: Inputs | null,
	wantsProgress: boolean,
): Made {
	const envelope = readEnvelope(Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${text}}`), 256);
	if (isEnvelopeFault(envelope)) throw new Error(envelope.message);
	const members = envelope.params.members ?? [];
	const name = members.find(({ key }) => key === 'name');
	const edits: Edit[] =
		rename === null || name === undefined ? [] : [{ start: name.start, end: name.end, text: rename }];
	const meta = envelope.meta.filter((_, index) => keptMeta[index] === true);
	const call: Call = {
		...{ method: 'tools/call', params: envelope.params, edits, meta, name: null, inputs, mirrored: null },
		wantsProgress,
		caller,
		origin: 'client',
	};
	return { call, members };
}

test('a request to a server holds all members of the client, each as it was written', () => {
	const ownMeta = '"own/a":1,"own/b":{"c":"}"}';
	const kept = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });
	fc.assert(
		fc.property(
			params,
			fc.option(stringText, { nil: null }),
			kept,
			fc.boolean(),
			fc.constantFrom('', ownMeta),
			inputs,
			(text, rename, keptMeta, wantsProgress, own, answers) => {
				const { call, members } = callOf(text, rename, keptMeta, answers, wantsProgress);
				const written = requestText(7, call, own);
				const scanned = scanJson(Buffer.from(written), { params: { _meta: {} } });
				if (isScanFault(scanned)) throw new Error(`${scanned.fault} at ${scanned.at} of ${written.toString()}`);
				expect(scanned.members?.map(({ key }) => key)).toEqual(['jsonrpc', 'id', 'method', 'params']);
				const after = scanned.members?.[3]?.members ?? [];

				const bytes = (member: Member) => call.params.text.toString('utf8', member.keyStart, member.end);
				const added = [
					...(answers?.responses ? [`"inputResponses":${answers.responses.toString()}`] : []),
					...(answers?.state ? [`"requestState":${answers.state.toString()}`] : []),
				];
				const rest = members
					.filter(({ key }) => key !== '_meta')
					.map((member) => (member.key === 'name' && rename !== null ? null : bytes(member)));
				const found = after
					.filter(({ key }) => key !== '_meta')
					.map(({ key, keyStart, end }) =>
						key === 'name' && rename !== null ? null : written.toString('utf8', keyStart, end),
					);
				expect(found).toEqual([...added, ...rest]);
				const name = after.find(({ key }) => key === 'name');
				if (rename !== null && name !== undefined) expect(written.toString('utf8', name.start, name.end)).toBe(rename);

				const meta = after.find(({ key }) => key === '_meta');
				const parts = [...(own === '' ? [] : ['"own/a":1', '"own/b":{"c":"}"}'])];
				if (wantsProgress) parts.push('"progressToken":7');
				parts.push(...call.meta.map(bytes));
				if (parts.length === 0) expect(meta).toBeUndefined();
				else expect(meta && written.toString('utf8', meta.start, meta.end)).toBe(`{${parts.join(',')}}`);
			},
		),
		{ numRuns: 2_000 },
	);
});

const mostly = (usual: fc.Arbitrary<string>) => fc.oneof({ weight: 4, arbitrary: usual }, valueText);
const sometimes = (key: string, text: fc.Arbitrary<string>): fc.Arbitrary<readonly Pair[]> =>
	fc.oneof({ weight: 3, arbitrary: text.map((one): readonly Pair[] => [[`"${key}"`, one]]) }, fc.constant([]));

const idText = fc.oneof(
	stringText,
	numberText,
	fc.integer().map(String),
	fc.constantFrom('9007199254740991', '9007199254740992', '-9007199254740991', '1.0', '1e2', '-0', 'null'),
	fc.integer({ min: 250, max: 260 }).map((length) => `"${'x'.repeat(length)}"`),
);

const message = fc
	.tuple(
		sometimes('jsonrpc', mostly(fc.constantFrom('"2.0"'))),
		sometimes('id', idText),
		sometimes('method', mostly(stringText)),
		sometimes('params', mostly(params)),
		fc.oneof(fc.constant([]), sometimes('result', valueText)),
		pairs(keyText.filter(isNot('jsonrpc', 'id', 'method', 'params', 'result', 'error')), valueText, 2),
	)
	.map((parts): readonly Pair[] => parts.flat());

/** What the envelope must say, found out by JSON.parse; null: it must be refused. */
function expectedOf(text: string): { kind: string; method: string } | null {
	const value = JSON.parse(text) as Record<string, unknown>;
	if (value['jsonrpc'] !== '2.0') return null;
	const { method, params: given } = value;
	if (!('method' in value)) return 'id' in value && 'result' in value ? { kind: 'response', method: '' } : null;
	if (typeof method !== 'string') return null;
	if ('params' in value) {
		if (typeof given !== 'object' || given === null || Array.isArray(given)) return null;
		const meta = Object.getOwnPropertyDescriptor(given, '_meta')?.value as unknown;
		if (meta !== undefined && (typeof meta !== 'object' || meta === null || Array.isArray(meta))) return null;
	}
	return { kind: 'id' in value ? 'request' : 'notification', method };
}

const maximumIdBytes = 256;

function isGoodId(text: string): boolean {
	if (text.startsWith('"')) return Buffer.byteLength(text) - 2 <= maximumIdBytes;
	return /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text));
}

test('an envelope says what JSON.parse finds in it, and keeps the bytes', () => {
	const kinds = new Map<string, number>();
	fc.assert(
		fc.property(shuffled(message), (text) => {
			const envelope = readEnvelope(Buffer.from(text), maximumIdBytes);
			const id = membersOf(text).get('id');
			const expected = id === undefined || isGoodId(id) ? expectedOf(text) : null;
			const kind = isEnvelopeFault(envelope) ? 'refused' : envelope.kind;
			kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
			expect([text, kind]).toEqual([text, expected?.kind ?? 'refused']);
			if (isEnvelopeFault(envelope)) {
				expect(envelope).toMatchObject({ status: 400, message: expect.any(String) });
				if (envelope.id !== null) expect(envelope.id.toString()).toBe(id);
				return;
			}
			expect(envelope.method).toBe(expected?.method);
			expect(envelope.id?.toString()).toBe(id);
			const given = (JSON.parse(text) as { params?: Record<string, unknown> }).params ?? {};
			const { params: found, meta } = envelope;
			if (envelope.kind === 'response') return;
			expect(sameJson(JSON.parse(found.text.toString('utf8', found.start, found.end)), given)).toBe(true);
			const metaKeys = Object.keys((given['_meta'] as Record<string, unknown> | undefined) ?? {});
			expect(meta.map(({ key }) => key).toSorted()).toEqual(metaKeys.toSorted());
		}),
		{ numRuns: 4_000 },
	);
	for (const kind of ['request', 'notification', 'response', 'refused'])
		expect(kinds.get(kind) ?? 0).toBeGreaterThan(50);
});

function membersOf(text: string): ReadonlyMap<string, string> {
	const scanned = scanJson(Buffer.from(text), {});
	if (isScanFault(scanned)) throw new Error(scanned.fault);
	return new Map(
		(scanned.members ?? []).map(({ key, start, end }) => [key, scanned.text.toString('utf8', start, end)]),
	);
}

test('no body makes the reader of envelopes throw', () => {
	const bodies = fc.oneof(
		fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
		valueText,
		objectText,
	);
	fc.assert(
		fc.property(bodies, (body) => {
			const envelope = readEnvelope(Buffer.from(body), maximumIdBytes);
			if (isEnvelopeFault(envelope)) expect(envelope.code).toBeLessThan(-32599);
		}),
		{ numRuns: 2_000 },
	);
});

test('a batch is the messages that JSON.parse finds in it, each read as if it came alone', () => {
	const items = fc.array(fc.oneof(shuffled(message), valueText, objectText), { maxLength: 8 });
	fc.assert(
		fc.property(items, fc.constantFrom(',', ' ,\n', '\t, '), (texts, comma) => {
			const body = `\n[${texts.join(comma)} ]`;
			expect(JSON.parse(body)).toHaveLength(texts.length);
			expect(isBatch(Buffer.from(body))).toBe(true);
			const read = readBatch(Buffer.from(body), 8, maximumIdBytes);
			if ('status' in read) {
				expect([texts.length, read.code]).toEqual([0, -32600]);
				return;
			}
			expect(read).toHaveLength(texts.length);
			const shown = (one: (typeof read)[number] | undefined) =>
				one === undefined || isEnvelopeFault(one) ? one?.code : [one.kind, one.id?.toString(), one.method];
			for (const [index, text] of texts.entries())
				expect(shown(read[index])).toEqual(shown(readEnvelope(Buffer.from(text), maximumIdBytes)));
			if (texts.length > 0)
				expect(readBatch(Buffer.from(body), texts.length - 1, maximumIdBytes)).toHaveProperty('status');
		}),
		{ numRuns: 1_000 },
	);
});
