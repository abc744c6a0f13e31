import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { idText, objectText, valueText } from './values.ts';

/** A request as a server reads it. */
export interface Asked {
	readonly id: number;
	readonly method: string;
	/** Whether the server speaks without a handshake. */
	readonly modern: boolean;
}

const asks = ['elicitation/create', 'sampling/createMessage', 'roots/list', 'ping', 'vendor/ask', '__proto__'];
const noticeNames = [
	...['notifications/message', 'notifications/tools/list_changed', 'notifications/resources/updated'],
	...['notifications/cancelled', 'notifications/tasks/status', 'notifications/elicitation/complete', 'constructor'],
	...['notifications/subscriptions/acknowledged', 'notifications/vendor', 'notifications/resources/list_changed'],
];

/** The right answer. */
export function rightAnswer({ id, method, modern }: Asked): Buffer {
	return Buffer.from(`{"jsonrpc":"2.0","id":${id},${rightOutcome(method, modern)}}`);
}

function rightOutcome(method: string, modern: boolean): string {
	if (modern ? method === 'initialize' : method === 'server/discover')
		return '"error":{"code":-32601,"message":"Method not found"}';
	const stamp = modern ? '"resultType":"complete",' : '';
	return `"result":{${stamp}${rightMembers(method)}}`;
}

const served =
	'"capabilities":{"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true},"logging":{},"completions":{}}';
const mirrored = '{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}';

function rightMembers(method: string): string {
	switch (method) {
		case 'initialize':
			return `"protocolVersion":"2025-11-25","serverInfo":{"name":"f","version":"1"},${served}`;
		case 'server/discover':
			return `"supportedVersions":["2026-07-28"],"serverInfo":{"name":"f","version":"1"},${served},"ttlMs":0`;
		case 'tools/list':
			return `"tools":[{"name":"echo","inputSchema":{"type":"object"}},{"name":"mirrored","inputSchema":${mirrored}}]`;
		case 'prompts/list':
			return '"prompts":[{"name":"echo"}]';
		case 'resources/list':
			return '"resources":[{"uri":"res://x","name":"x"}]';
		case 'resources/templates/list':
			return '"resourceTemplates":[{"uriTemplate":"res://{x}","name":"x"}]';
		case 'resources/read':
			return '"contents":[{"uri":"res://x","text":"hello"}]';
		case 'prompts/get':
			return '"messages":[]';
		case 'completion/complete':
			return '"completion":{"values":[]}';
		case 'tools/call':
			return '"content":[{"type":"text","text":"hello"}]';
		default:
			return '"content":[]';
	}
}

/** What comes before, instead of, or after the answer, as one message each. Most are well-formed. */
export function oddMessages(random: Random, asked: Asked): Buffer[] {
	const messages: Buffer[] = [];
	for (let count = 1 + random.below(3); count > 0; count--) {
		const text = Buffer.from(oddMessage(random, asked));
		messages.push(random.once(4) ? mutate(random, text, rightAnswer(asked)) : text);
	}
	return messages;
}

function oddMessage(random: Random, asked: Asked): string {
	switch (random.below(8)) {
		case 0:
			return `{"jsonrpc":"2.0","method":"notifications/progress","params":${progress(random, asked)}}`;
		case 1:
			return `{"jsonrpc":"2.0","method":"${random.pick(noticeNames)}","params":${params(random, asked)}}`;
		case 2:
		case 3:
			return `{"jsonrpc":"2.0","id":${idText(random)},"method":"${random.pick(asks)}","params":${params(random, asked)}}`;
		case 4:
			return `[${oddAnswer(random, asked)},${rightAnswer(asked).toString()}]`;
		case 5:
			return valueText(random);
		default:
			return oddAnswer(random, asked);
	}
}

function oddAnswer(random: Random, { id, method, modern }: Asked): string {
	const to = random.once(4) ? idText(random) : String(id);
	const head = `{"jsonrpc":"2.0","id":${to},`;
	switch (random.below(9)) {
		case 0:
			return `${head}"error":${errorText(random)}}`;
		case 1:
			return `${head}"result":${valueText(random)}}`;
		case 2:
			return `${head}"result":null,"error":${errorText(random)}}`;
		case 3:
			return `${head}"result":${objectText(random)},"error":null}`;
		case 4:
			return `${head}"result":{"resultType":${valueText(random)},${rightMembers(method)}}}`;
		case 5:
			return `${head}"result":{"resultType":"input_required","inputRequests":${inputRequests(random)},"requestState":${random.once(2) ? '"s"' : valueText(random)}}}`;
		case 6:
			return `${head}"result":{${listMembers(random)}}}`;
		case 7:
			return `${head}${rightOutcome(method, modern)}}`;
		default:
			return `${head}"x":1}`;
	}
}

function errorText(random: Random): string {
	const code = random.pick(['-32601', '-32602', '-32603', '-32020', '-32042', '-32002', '1', '1e400', '"x"', 'null']);
	return random.once(3)
		? valueText(random)
		: `{"code":${code},"message":${random.once(2) ? '"no"' : valueText(random)},"data":${valueText(random)}}`;
}

function inputRequests(random: Random): string {
	if (random.once(3)) return valueText(random);
	return `{"1":{"method":"${random.pick(asks)}","params":${objectText(random)}},"__proto__":{"method":"roots/list"}}`;
}

/** Pages of lists that are none, or never end. */
function listMembers(random: Random): string {
	const item = () =>
		random.once(3)
			? valueText(random)
			: `{"name":${random.once(2) ? '"echo"' : valueText(random)},"uri":"res://x","inputSchema":${random.once(2) ? mirroredOdd(random) : valueText(random)}}`;
	const items = Array.from({ length: random.below(4) }, item).join(',');
	const next = random.once(2) ? `,"nextCursor":${random.once(2) ? `"${random.below(9)}"` : valueText(random)}` : '';
	const field = random.pick(['tools', 'prompts', 'resources', 'resourceTemplates', 'tasks']);
	return `"${field}":[${items}]${next},"ttlMs":${valueText(random)},"cacheScope":${valueText(random)}`;
}

function mirroredOdd(random: Random): string {
	const header = random.once(2) ? '"Region"' : valueText(random);
	const property = `{"type":${random.once(2) ? '"string"' : valueText(random)},"x-mcp-header":${header}}`;
	return `{"type":"object","properties":{"region":${property},"__proto__":${property}}}`;
}

function progress(random: Random, { id }: Asked): string {
	return `{"progressToken":${random.once(4) ? idText(random) : id},"progress":${valueText(random)}}`;
}

function params(random: Random, { id }: Asked): string {
	if (random.once(3)) return random.once(4) ? valueText(random) : objectText(random);
	return `{"uri":"res://x","requestId":${idText(random)},"level":"info","data":1,"message":"?","requestedSchema":{"type":"object"},"_meta":{"io.modelcontextprotocol/subscriptionId":${id},"io.modelcontextprotocol/related-task":{"taskId":"1"}}}`;
}
