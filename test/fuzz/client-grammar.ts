import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { idText, objectText, valueText } from './values.ts';

/** What a client sends. */
export interface ClientMessage {
	readonly method: 'POST' | 'GET' | 'DELETE';
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Buffer;
	/** Over HTTP, or as a line to the gateway as a stdio server. */
	readonly front: 'http' | 'stdio';
}

/** What clients have learnt so far and may use. */
export interface ClientMemory {
	/** Headers of requests in open sessions. */
	readonly sessions: readonly Readonly<Record<string, string>>[];
	/** Ids of questions that servers asked, as JSON text. */
	readonly asked: readonly string[];
	/** `requestState` values, as JSON text. */
	readonly states: readonly string[];
}

const methods = [
	...['tools/call', 'tools/call', 'tools/call', 'tools/call', 'tools/list', 'prompts/list', 'prompts/get', 'ping'],
	...['resources/list', 'resources/templates/list', 'resources/read', 'resources/subscribe', 'resources/unsubscribe'],
	...['completion/complete', 'logging/setLevel', 'tasks/get', 'tasks/list', 'tasks/cancel', 'tasks/result'],
	...[
		'tasks/update',
		'server/discover',
		'subscriptions/listen',
		'initialize',
		'vendor/own',
		'__proto__',
		'constructor',
	],
];
const notices = [
	...['notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/vendor'],
	...['notifications/roots/list_changed', 'tools/call'],
];
const names = [
	...[
		'a_echo',
		'a_echo',
		'b_echo',
		'b_echo',
		'b_mirrored',
		'd_echo',
		'd_echo',
		'a_',
		'echo',
		'_',
		'c_canary',
		'a_\\u0065cho',
	],
	...['__proto__', 'a___proto__', 'b_constructor', 'a_toString', 'x'.repeat(300), 'a_é'],
];
const uris = ['a+res://x', 'b+res://x', 'res://x', 'ui://a/x', '__proto__', 'a+', 'file:///etc/passwd'];
const capabilities = [
	...['{}', '{}', '{}', '{"elicitation":{}}', '{"sampling":{},"roots":{"listChanged":true}}'],
	...['{"elicitation":{"url":{},"form":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}}'],
];
const versions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** Draws a message of a client: most are well-formed, and most of those make sense. */
export function clientMessage(random: Random, memory: ClientMemory): ClientMessage {
	const modern = random.below(2) === 0;
	const message = modern ? modernMessage(random, memory) : legacyMessage(random, memory);
	if (message.method !== 'POST' || !random.once(4)) return message;
	const other = Buffer.from(random.once(2) ? objectText(random) : valueText(random));
	return { ...message, body: mutate(random, message.body, other) };
}

const accepts = [
	'application/json, text/event-stream',
	'application/json',
	'text/event-stream',
	'*/*',
	'text/html',
	'',
];
const types = ['application/json', 'application/json; charset=utf-8', 'text/plain', 'application/json5'];

function usualHeaders(random: Random): Record<string, string> {
	return {
		accept: random.once(8) ? random.pick(accepts) : 'application/json, text/event-stream',
		'content-type': random.once(100) ? random.pick(types) : 'application/json',
	};
}

function modernMessage(random: Random, memory: ClientMemory): ClientMessage {
	const method = random.once(12) ? random.pick(notices) : random.pick(methods);
	const params = paramsOf(random, method, memory);
	const headers: Record<string, string> = {
		...usualHeaders(random),
		'mcp-protocol-version': random.once(60) ? random.pick(['2026-07-27', '9999', '']) : '2026-07-28',
		'mcp-method': random.once(60) ? 'tools/list' : method,
	};
	const name = params.name ?? params.uri ?? params.taskId;
	if (name !== undefined && !random.once(60)) headers['mcp-name'] = headerText(name);
	if (random.once(4)) headers['mcp-param-region'] = random.pick(['eu', '"eu"', '', '=?base64?ZXU=?=']);
	const meta = [
		`"io.modelcontextprotocol/protocolVersion":${random.once(80) ? valueText(random) : '"2026-07-28"'}`,
		`"io.modelcontextprotocol/clientCapabilities":${random.once(60) ? valueText(random) : random.pick(capabilities)}`,
	];
	if (random.once(3)) meta.push('"io.modelcontextprotocol/clientInfo":{"name":"f","version":"1"}');
	if (random.once(6))
		meta.push(`"io.modelcontextprotocol/logLevel":${random.pick(['"debug"', '"error"', '"no"', '1'])}`);
	if (random.once(4)) meta.push(`"progressToken":${idText(random)}`);
	const text = envelope(random, method, `{${[...params.members, `"_meta":{${meta.join(',')}}`].join(',')}}`);
	return { method: 'POST', headers, body: Buffer.from(text), front: random.once(5) ? 'stdio' : 'http' };
}

function legacyMessage(random: Random, memory: ClientMemory): ClientMessage {
	const session = memory.sessions.length === 0 ? {} : random.pick(memory.sessions);
	const headers = { ...usualHeaders(random), ...(random.once(40) ? {} : session) };
	if (random.once(100) && headers['mcp-session-id'] !== undefined)
		headers['mcp-session-id'] = mutate(random, Buffer.from(headers['mcp-session-id']), Buffer.from('x')).toString(
			'latin1',
		);
	if (random.once(100)) return { method: 'GET', headers, body: Buffer.alloc(0), front: 'http' };
	if (random.once(3_000)) return { method: 'DELETE', headers, body: Buffer.alloc(0), front: 'http' };
	const count = random.once(40) ? random.below(random.once(5) ? 60 : 4) : -1;
	const one = () => legacyText(random, memory);
	const text = count < 0 ? one() : `[${Array.from({ length: count }, one).join(',')}]`;
	return { method: 'POST', headers, body: Buffer.from(text), front: random.once(5) ? 'stdio' : 'http' };
}

function legacyText(random: Random, memory: ClientMemory): string {
	if (random.once(8)) return answerText(random, memory);
	const method = random.once(8) ? random.pick(notices) : random.pick(methods);
	const { members } = paramsOf(random, method, memory);
	const meta = random.once(3) ? [`"_meta":{"progressToken":${idText(random)}}`] : [];
	return envelope(random, method, `{${[...members, ...meta].join(',')}}`);
}

/** The answer to a question of a server, or to none. */
function answerText(random: Random, memory: ClientMemory): string {
	const id = memory.asked.length === 0 || random.once(4) ? idText(random) : random.pick(memory.asked);
	const result = random.once(2) ? '{"action":"accept","content":{}}' : valueText(random);
	const outcome = random.once(4)
		? `"error":${random.once(2) ? '{"code":-1,"message":"no"}' : valueText(random)}`
		: `"result":${result}`;
	return `{"jsonrpc":"2.0","id":${id},${outcome}}`;
}

function envelope(random: Random, method: string, params: string): string {
	const id = method.startsWith('notifications/') && !random.once(10) ? '' : `"id":${idText(random)},`;
	const shown = random.once(40) ? valueText(random) : random.once(30) ? objectText(random) : params;
	return `{"jsonrpc":${random.once(100) ? valueText(random) : '"2.0"'},${id}"method":"${method}","params":${shown}}`;
}

interface Params {
	readonly members: readonly string[];
	readonly name?: string;
	readonly uri?: string;
	readonly taskId?: string;
}

function paramsOf(random: Random, method: string, memory: ClientMemory): Params {
	const odd = random.once(40);
	const name = random.pick(names);
	const uri = random.pick(uris);
	switch (method) {
		case 'tools/call':
		case 'prompts/get': {
			const rest = retry(random, memory);
			if (odd) return { members: [`"name":${valueText(random)}`, ...rest] };
			return { members: [`"name":"${name}"`, `"arguments":${argumentsText(random)}`, ...rest], name };
		}
		case 'resources/read':
		case 'resources/subscribe':
		case 'resources/unsubscribe':
			return odd ? { members: [`"uri":${valueText(random)}`] } : { members: [`"uri":"${uri}"`], uri };
		case 'tasks/get':
		case 'tasks/cancel':
		case 'tasks/update':
		case 'tasks/result':
			return odd ? { members: [`"taskId":${valueText(random)}`] } : { members: ['"taskId":"a_1"'], taskId: 'a_1' };
		case 'completion/complete': {
			const ref = random.pick([`{"type":"ref/prompt","name":"${name}"}`, `{"type":"ref/resource","uri":"${uri}"}`]);
			return { members: [`"ref":${odd ? valueText(random) : ref}`, '"argument":{"name":"x","value":"y"}'] };
		}
		default:
			return { members: otherMembers(random, method) };
	}
}

function otherMembers(random: Random, method: string): readonly string[] {
	switch (method) {
		case 'logging/setLevel':
			return [`"level":${random.once(3) ? valueText(random) : '"info"'}`];
		case 'initialize':
			return [
				`"protocolVersion":"${random.pick(versions)}"`,
				`"capabilities":${random.once(20) ? valueText(random) : random.pick(capabilities)}`,
				'"clientInfo":{"name":"f","version":"1"}',
			];
		case 'subscriptions/listen': {
			const wants = '{"toolsListChanged":true,"resourceSubscriptions":["a+res://x","__proto__"]}';
			return [`"notifications":${random.once(4) ? valueText(random) : wants}`];
		}
		case 'notifications/cancelled':
			return [`"requestId":${idText(random)}`, `"reason":${valueText(random)}`];
		case 'notifications/progress':
			return [`"progressToken":${idText(random)}`, '"progress":1'];
		default:
			return method.endsWith('/list') && random.once(4) ? [`"cursor":${valueText(random)}`] : [];
	}
}

function argumentsText(random: Random): string {
	if (random.once(3)) return objectText(random);
	return random.once(30) ? valueText(random) : '{"text":"hello","region":"eu"}';
}

/** The client comes again with answers. */
function retry(random: Random, memory: ClientMemory): readonly string[] {
	if (!random.once(12)) return [];
	const state = memory.states.length === 0 || random.once(4) ? valueText(random) : random.pick(memory.states);
	const answers = random.once(2) ? '{"1":{"action":"accept","content":{}}}' : valueText(random);
	return [`"requestState":${state}`, `"inputResponses":${answers}`];
}

/** Header values are bytes on one line. */
function headerText(text: string): string {
	return Buffer.from(text)
		.toString('latin1')
		.replace(/[\r\n\0]/g, ' ');
}
