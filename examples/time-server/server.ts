import { type Tool, ToolError } from './tools.ts';

/** A JSON-RPC message, as far as this server looks. */
type Message = Record<string, unknown>;

const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const modernVersion = '2026-07-28';
const serverInfo = { name: 'time', version: '1.0.0' };
const capabilities = { tools: {} };

/** Answers one message; null when it wants no answer. Serves clients with and without a handshake. */
export function answer(message: Message, tools: readonly Tool[], now: Date): Message | null {
	const { id, method } = message;
	if (id === undefined || typeof method !== 'string') return null;
	const params = isObject(message['params']) ? message['params'] : {};
	const modern = isObject(params['_meta']) && params['_meta']['io.modelcontextprotocol/protocolVersion'] !== undefined;
	const reply = dispatch(method, params, tools, now);
	if ('error' in reply) return { jsonrpc: '2.0', id, error: reply.error };
	return { jsonrpc: '2.0', id, result: modern ? stamped(method, reply.result) : reply.result };
}

type Reply = { result: Record<string, unknown> } | { error: { code: number; message: string } };

function dispatch(method: string, params: Record<string, unknown>, tools: readonly Tool[], now: Date): Reply {
	switch (method) {
		case 'initialize': {
			const asked = String(params['protocolVersion']);
			const protocolVersion = legacyVersions.includes(asked) ? asked : legacyVersions[0];
			return { result: { protocolVersion, capabilities, serverInfo } };
		}
		case 'server/discover':
			return { result: { supportedVersions: [modernVersion], capabilities } };
		case 'ping':
			return { result: {} };
		case 'tools/list':
			return { result: { tools: tools.map(({ run: _run, ...shown }) => shown) } };
		case 'tools/call':
			return call(params, tools, now);
		default:
			return { error: { code: -32601, message: `Method not found: ${method}` } };
	}
}

function call(params: Record<string, unknown>, tools: readonly Tool[], now: Date): Reply {
	const tool = tools.find((one) => one.name === params['name']);
	if (tool === undefined) return { error: { code: -32602, message: `Unknown tool: ${String(params['name'])}` } };
	try {
		const result = tool.run(isObject(params['arguments']) ? params['arguments'] : {}, now);
		return {
			result: {
				content: [{ type: 'text', text: JSON.stringify(result, null, 2) }],
				structuredContent: result,
				isError: false,
			},
		};
	} catch (error) {
		if (!(error instanceof ToolError)) throw error;
		const text = `Error executing tool ${tool.name}: ${error.message}`;
		return { result: { content: [{ type: 'text', text }], isError: true } };
	}
}

/** What 2026-07-28 wants on every result. */
function stamped(method: string, result: Record<string, unknown>): Record<string, unknown> {
	const cache = method === 'tools/call' ? {} : { ttlMs: 3_600_000, cacheScope: 'public' };
	return { resultType: 'complete', ...result, ...cache, _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo } };
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
