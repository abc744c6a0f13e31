import { request } from 'undici';
import { expect } from 'vitest';
import { type Loose, WireClient, type WireReply } from '../../support/wire-client.ts';
import { Refused } from '../peer.ts';
import { type Context, onlyNew, onlyOld, spokenTo, type Topic } from '../requirement.ts';

const meta = (members: string) => `"_meta":{${members}}`;
const version = (text = '2026-07-28') => `"io.modelcontextprotocol/protocolVersion":"${text}"`;
const capabilities = '"io.modelcontextprotocol/clientCapabilities":{}';
const whole = meta(`${version()},${capabilities}`);
const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' };

function shown({ status, message }: WireReply): { status: number; code: number | undefined } {
	return { status, code: message.error?.code };
}

/** POSTs a request of the new era that is wrong somewhere. */
async function post(context: Context, body: string, more: Record<string, string | undefined>): Promise<WireReply> {
	const all = Object.entries({ ...headers, ...more }).filter(([, value]) => value !== undefined);
	return context.wire().wire.post(body, Object.fromEntries(all) as Record<string, string>);
}

const list = (params: string) => `{"jsonrpc":"2.0","id":"e","method":"tools/list","params":{${params}}}`;
const callEcho = `{"jsonrpc":"2.0","id":"e","method":"tools/call","params":{"name":"matrix_echo",${whole}}}`;

export const errors: Topic = {
	title: 'Errors and status codes',
	requirements: [
		{
			id: 'unknown-names',
			title: 'unknown tools, prompts and resources are invalid parameters',
			section: 'server/tools, server/prompts, server/resources, error handling',
			run: async ({ peer }) => {
				const uses = [
					['tools/call', { name: 'no_such_tool', arguments: {} }],
					['prompts/get', { name: 'no_such_prompt' }],
					['resources/read', { uri: 'test://no-such-resource' }],
				] as const;
				for (const [method, params] of uses) {
					const outcome: unknown = await peer.use(method, params).catch((error: unknown) => error);
					// A server of the old era answers an unknown tool as it likes.
					if (outcome instanceof Refused) expect({ method, code: outcome.code }).toEqual({ method, code: -32602 });
					else expect({ method, outcome }).toMatchObject({ method: 'tools/call', outcome: { isError: true } });
				}
			},
		},
		{
			id: 'not-found-code',
			title: 'a resource that is missing, in the words of the client’s era',
			section: 'server/resources 2026-07-28: -32602, before: -32002',
			shownBy: 'raw',
			limit: ({ client, upstream }) =>
				client === 'old' && upstream !== 'old'
					? { loss: 'the new -32602 stays, nobody can tell what it is about' }
					: undefined,
			run: async ({ peer, combo }) => {
				const outcome = await peer
					.use('resources/read', { uri: 'test://missing-in-old-words' })
					.catch((error: Refused) => ({ code: error.code, data: error.data as unknown }));
				const code = combo.client === 'old' && combo.upstream === 'old' ? -32002 : -32602;
				expect(outcome).toEqual({ code, data: { uri: 'test://missing-in-old-words' } });
			},
		},
		{
			id: 'server-errors',
			title: 'code, message and data of a server’s own error',
			section: 'basic/index, error responses',
			run: async ({ peer }) => {
				const outcome: unknown = await peer
					.use('prompts/get', { name: 'matrix_broken' })
					.catch((error: unknown) => error);
				expect(outcome).toMatchObject({ code: -31000, data: { why: ['the matrix'] } });
				expect((outcome as Error).message).toContain('Broken on purpose');
			},
		},
		{
			id: 'missing-capability-status',
			title: 'a capability that the client lacks is HTTP 400',
			section: 'basic/transports 2026-07-28, -32021',
			shownBy: 'raw',
			limit: (combo) => {
				if (combo.client === 'old') return { none: 'came with 2026-07-28' };
				return spokenTo(combo) === 'old' ? { none: 'the server has no word for it' } : undefined;
			},
			run: async ({ connect }) => {
				const { wire } = (await connect({})) as Loose;
				expect(shown(await wire.request('tools/call', '{"name":"test_missing_capability"}'))).toEqual({
					status: 400,
					code: -32021,
				});
			},
		},
		{
			id: 'not-json',
			title: 'what is no JSON, or no message: 400',
			section: 'basic/transports; JSON-RPC 2.0',
			shownBy: 'raw',
			run: async (context) => {
				const { wire } = context.wire();
				const own = wire.headersOf('tools/list', '{}');
				expect(shown(await wire.post('{"jsonrpc":', own))).toEqual({ status: 400, code: -32700 });
				expect(shown(await wire.post('"hello"', own))).toEqual({ status: 400, code: -32600 });
				expect(shown(await wire.post('{"jsonrpc":"2.0","id":1}', own))).toEqual({ status: 400, code: -32600 });
			},
		},
		{
			id: 'batch-new',
			title: 'batches are refused',
			section: 'basic/transports 2026-07-28',
			shownBy: 'raw',
			limit: onlyNew('sessions of 2025-03-26 may send them'),
			run: async (context) => {
				expect(shown(await post(context, `[${list(whole)}]`, {}))).toEqual({ status: 400, code: -32600 });
			},
		},
		{
			id: 'batch-old',
			title: 'batches in sessions of 2025-03-26, and in no later ones',
			section: 'basic/index 2025-03-26, batching',
			shownBy: 'raw',
			limit: onlyOld('removed in 2025-06-18'),
			run: async ({ url }) => {
				const batch = '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":"b","method":"ping"}]';
				const old = await WireClient.open(url, 'legacy', { version: '2025-03-26' });
				const reply = await old.post(batch, old.headersOf('', '{}'));
				const texts = [...reply.before, reply.text].join();
				expect(reply.status).toBe(200);
				expect(texts).toMatch(/"id":1\b/);
				expect(texts).toMatch(/"id":"b"/);
				await old.end();
				const later = await WireClient.open(url, 'legacy');
				expect(shown(await later.post(batch, later.headersOf('', '{}')))).toEqual({ status: 400, code: -32600 });
				await later.end();
			},
		},
		{
			id: 'meta-missing',
			title: 'a request without its version or its capabilities: 400, -32602',
			section: 'basic/index 2026-07-28, _meta',
			shownBy: 'raw',
			limit: onlyNew('the handshake says it once for all'),
			run: async (context) => {
				const expected = { status: 400, code: -32602 };
				expect(shown(await post(context, list(''), {}))).toEqual(expected);
				expect(shown(await post(context, list(meta(version())), {}))).toEqual(expected);
				expect(shown(await post(context, list(meta(capabilities)), {}))).toEqual(expected);
				const odd = meta(`"io.modelcontextprotocol/protocolVersion":7,${capabilities}`);
				expect(shown(await post(context, list(odd), {}))).toEqual(expected);
			},
		},
		{
			id: 'version-unknown',
			title: 'a version that is not spoken: 400, -32022 with those that are',
			section: 'basic/versioning 2026-07-28',
			shownBy: 'raw',
			limit: onlyNew('initialize negotiates the version'),
			run: async (context) => {
				const body = list(meta(`${version('2099-01-01')},${capabilities}`));
				const reply = await post(context, body, { 'mcp-protocol-version': '2099-01-01' });
				expect(shown(reply)).toEqual({ status: 400, code: -32022 });
				expect(reply.message.error?.data).toMatchObject({ requested: '2099-01-01', supported: ['2026-07-28'] });
			},
		},
		{
			id: 'header-mismatch',
			title: 'headers that are missing or differ from the body: 400, -32020',
			section: 'basic/transports 2026-07-28, SEP-2243',
			shownBy: 'raw',
			limit: onlyNew('headers repeat nothing of the body'),
			run: async (context) => {
				const wrong: [string, Record<string, string | undefined>][] = [
					[list(whole), { 'mcp-protocol-version': undefined }],
					[list(whole), { 'mcp-protocol-version': '2025-11-25' }],
					[list(whole), { 'mcp-method': undefined }],
					[list(whole), { 'mcp-method': 'tools/call' }],
					[list(whole), { 'mcp-method': 'TOOLS/LIST' }],
					[callEcho, { 'mcp-method': 'tools/call' }],
					[callEcho, { 'mcp-method': 'tools/call', 'mcp-name': 'other' }],
					[callEcho, { 'mcp-method': 'tools/call', 'mcp-name': '=?base64?!!!?=' }],
				];
				for (const [body, more] of wrong) {
					const reply = await post(context, body, more);
					expect({ more, ...shown(reply), id: reply.message.id }).toEqual({ more, status: 400, code: -32020, id: 'e' });
				}
				const coded = `=?base64?${Buffer.from('matrix_echo').toString('base64')}?=`;
				expect((await post(context, callEcho, { 'mcp-method': 'tools/call', 'mcp-name': coded })).status).toBe(200);
			},
		},
		{
			id: 'param-header-mismatch',
			title: 'arguments that differ from their headers: 400, -32020',
			section: 'basic/transports 2026-07-28, SEP-2243',
			shownBy: 'raw',
			limit: onlyNew('headers repeat nothing of the body'),
			run: async (context) => {
				const { wire } = context.wire();
				// Whoever checks has to know the tool.
				await wire.request('tools/list');
				const params = '{"name":"test_x_mcp_header","arguments":{"region":"eu","priority":3}}';
				const call = (more: Record<string, string>) => wire.request('tools/call', params, { headers: more });
				const right = { 'mcp-param-region': 'eu', 'mcp-param-priority': '3' };
				expect((await call(right)).status).toBe(200);
				for (const more of [{ 'mcp-param-region': 'eu' }, { ...right, 'mcp-param-region': 'us' }, {}]) {
					expect(shown(await call(more as Record<string, string>))).toEqual({ status: 400, code: -32020 });
				}
			},
		},
		{
			id: 'method-unknown',
			title: 'a method that nobody knows, and those that were removed: -32601 (404 in the new era)',
			section: 'basic/transports 2026-07-28; JSON-RPC 2.0',
			shownBy: 'raw',
			run: async (context) => {
				const { wire } = context.wire();
				const removed = ['ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'initialize'];
				const isNew = context.combo.client === 'new';
				for (const method of isNew ? [...removed, 'no/such'] : ['no/such', 'server/discover', 'subscriptions/listen']) {
					const reply = await wire.request(method, '{"level":"info","uri":"test://static-text"}');
					expect({ method, ...shown(reply) }).toEqual({ method, status: isNew ? 404 : 200, code: -32601 });
				}
			},
		},
		{
			id: 'log-level-unknown',
			title: 'a log level that does not exist: -32602',
			section: 'server/utilities/logging',
			shownBy: 'raw',
			run: async (context) => {
				const { wire } = context.wire();
				const reply =
					context.combo.client === 'old'
						? await wire.request('logging/setLevel', '{"level":"loud"}')
						: await wire.request('tools/list', '{}', { meta: '"io.modelcontextprotocol/logLevel":"loud"' });
				expect(reply.message.error?.code).toBe(-32602);
			},
		},
		{
			id: 'accepted',
			title: 'notifications, and answers to nobody: 202 without a body',
			section: 'basic/transports',
			shownBy: 'raw',
			run: async (context) => {
				const { wire } = context.wire();
				expect(await wire.notify('notifications/cancelled', '{"requestId":424242}')).toBe(202);
				if (context.combo.client === 'old') {
					const answer = await wire.post('{"jsonrpc":"2.0","id":"nobody","result":{}}', wire.headersOf('', '{}'));
					expect(answer.status).toBe(202);
				}
			},
		},
		{
			id: 'session-missing',
			title:
				'no session id, or none of this gateway’s form: 400; one that is unknown: 404; a version that is unknown: 400',
			section: 'basic/transports 2025-11-25',
			shownBy: 'raw',
			limit: onlyOld('no sessions in 2026-07-28'),
			run: async (context) => {
				const { wire } = context.wire();
				const status = async (more: Record<string, string>) => {
					const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
					return (await wire.post(ping, more)).status;
				};
				expect(await status({})).toBe(400);
				expect(await status({ 'mcp-session-id': 'made up' })).toBe(400);
				const last = wire.session.at(-2) === 'A' ? 'B' : 'A';
				const forged = `${wire.session.slice(0, -2)}${last}${wire.session.slice(-1)}`;
				expect(await status({ 'mcp-session-id': forged })).toBe(404);
				expect(await status({ 'mcp-session-id': wire.session, 'mcp-protocol-version': '1999-01-01' })).toBe(400);
				expect(await status({ 'mcp-session-id': wire.session })).toBe(200);
			},
		},
		{
			id: 'foreign-origin',
			title: 'a page from elsewhere: 403',
			section: 'basic/transports, security warning',
			shownBy: 'raw',
			run: async (context) => {
				const { wire } = context.wire();
				for (const more of [{ origin: 'https://example.com' }, { host: 'example.com' }]) {
					const { statusCode, body } = await request(context.url, {
						method: 'POST',
						headers: { 'content-type': 'application/json', ...wire.headersOf('tools/list', '{}'), ...more },
						body: wire.bodyOf('tools/list', '{}', {}),
					});
					await body.dump();
					expect({ more, statusCode }).toEqual({ more, statusCode: 403 });
				}
			},
		},
		{
			id: 'tampered-state',
			title: 'a state that the client has changed is refused',
			section: 'basic/patterns/mrtr 2026-07-28, requestState',
			shownBy: 'raw',
			limit: onlyNew('servers keep their state themselves'),
			run: async (context) => {
				const { wire } = context.wire();
				const name = 'test_input_required_result_tampered_state';
				const first = await wire.request('tools/call', JSON.stringify({ name }));
				const { requestState, inputRequests } = first.message.result;
				const answers = Object.keys(inputRequests).map((key) => [key, { action: 'accept', content: { ok: true } }]);
				const inputResponses = Object.fromEntries(answers);
				const retry = (state: string, tool = name) =>
					wire.request('tools/call', JSON.stringify({ name: tool, inputResponses, requestState: state }));
				const at = Math.floor(requestState.length / 2);
				const changed = `${requestState.slice(0, at)}${requestState[at] === 'A' ? 'B' : 'A'}${requestState.slice(at + 1)}`;
				expect((await retry(changed)).message.error?.code).toBe(-32602);
				expect((await retry(requestState, 'test_input_required_result_request_state')).message.error?.code).toBe(
					-32602,
				);
				expect((await retry(requestState)).message.result?.content?.[0]?.text).toBe('The state is untouched');
			},
		},
	],
};
