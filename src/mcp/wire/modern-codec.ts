import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import { code } from '../errors.ts';
import { version } from '../../version.ts';
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

const plainCodec: ReplyCodec = {
	result: (result) => stamp(result, '"resultType":"complete"'),
	passes: (stamped) => stamped,
	status: (error) => statuses.get(error.code) ?? 200,
	// -32002 was "resource not found" and means nothing any more.
	error: (error) => (error.code === -32002 ? { ...error, code: code.invalidParams } : error),
	cancelsWhenGone: true,
};

const cacheFields = '"resultType":"complete","ttlMs":0,"cacheScope":"private"';

const listCodec: ReplyCodec = {
	...plainCodec,
	result: (result) => formOf(result, 'modern', () => stamp(result, cacheFields)),
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
	const have = new Set(scanned.members.map((member) => member.key));
	const wanted = members.split(',').filter((member) => !have.has(member.slice(1, member.indexOf('"', 1))));
	const comma = scanned.members.length === 0 ? '' : ',';
	// What a server of the other kind is called is said where it is greeted; its results are stamped by the gateway.
	if (!have.has('_meta')) wanted.push(`"_meta":{${ownServerInfo}}`);
	if (wanted.length === 0) return result.text;
	const text = wanted.join(',') + comma;
	return splice(result.text, [{ start: scanned.start + 1, end: scanned.start + 1, text }]);
}
