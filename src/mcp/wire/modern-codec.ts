import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import { splicePieces } from '../../lib/splice-pieces.ts';
import { code } from '../errors.ts';
import { version } from '../../version.ts';
import type { LargeResult } from '../large-result.ts';
import type { McpError, Result } from '../model.ts';
import type { ReplyCodec } from './reply.ts';
import { withoutExecution } from './tool-shape.ts';

/** Results of these methods must say for how long they may be kept. */
const cacheable: ReadonlySet<string> = new Set([
	'tools/list',
	'prompts/list',
	'resources/list',
	'resources/templates/list',
	'resources/read',
]);

const stampedMembers = '"resultType":"complete"';
const cacheFields = `${stampedMembers},"ttlMs":0,"cacheScope":"private"`;

const plainCodec: ReplyCodec = {
	result: (result) => stamp(result, stampedMembers),
	inPieces: (result) => stampPieces(result, stampedMembers),
	status: (error) => statuses.get(error.code) ?? 200,
	// -32002 was "resource not found" and means nothing any more.
	error: (error) => (error.code === -32002 ? { ...error, code: code.invalidParams } : error),
	cancelsWhenGone: true,
};

const listCodec: ReplyCodec = {
	...plainCodec,
	result: (result) => formOf(result, 'modern', () => stamp(result, cacheFields)),
	inPieces: (result) => stampPieces(result, cacheFields),
};

const toolsCodec: ReplyCodec = {
	...plainCodec,
	result: (result) =>
		formOf(result, 'modern', () =>
			result.stamped ? result.text : stamp({ ...result, text: withoutExecution(result.text) }, cacheFields),
		),
};

const ownServerInfo = `"io.modelcontextprotocol/serverInfo":${JSON.stringify({ name: 'agentgateway', version })}`;

/** Errors of the protocol itself are errors of HTTP, too (2026-07-28, "Streamable HTTP"). */
const statuses: ReadonlyMap<McpError['code'], number> = new Map([
	[code.methodNotFound, 404],
	[code.headerMismatch, 400],
	[code.missingCapability, 400],
	[code.unsupportedVersion, 400],
]);

/** Replies as clients without a handshake read them. */
export function modernCodec(method: string): ReplyCodec {
	if (method === 'tools/list') return toolsCodec;
	return cacheable.has(method) ? listCodec : plainCodec;
}

function formOf({ forms }: Result, kind: string, make: () => Buffer): Buffer {
	return forms === undefined ? make() : forms.of(kind, () => ({ text: make(), wrapped: [] })).text;
}

function stamp(result: Result, members: string): Buffer {
	if (result.stamped) return result.text;
	const scanned = scanJson(result.text, {});
	if (isScanFault(scanned) || scanned.members === null) return result.text;
	return splice(result.text, stampEdits(scanned.start + 1, scanned.members, members));
}

function stampPieces(result: LargeResult, members: string): readonly Buffer[] | null {
	if (result.stamped) return result.pieces;
	if (result.members === null) return null;
	return splicePieces(result.pieces, stampEdits(1, result.members, members));
}

/** What is put in at `at`, behind the opening brace. */
function stampEdits(at: number, has: readonly { readonly key: string }[], members: string): Edit[] {
	const have = new Set(has.map((member) => member.key));
	const wanted = members.split(',').filter((member) => !have.has(member.slice(1, member.indexOf('"', 1))));
	// What a server of the other kind is called is said where it is greeted; its results are stamped by the gateway.
	if (!have.has('_meta')) wanted.push(`"_meta":{${ownServerInfo}}`);
	if (wanted.length === 0) return [];
	return [{ start: at, end: at, text: wanted.join(',') + (has.length === 0 ? '' : ',') }];
}
