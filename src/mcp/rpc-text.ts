import { errorText } from './errors.ts';
import type { McpError } from './model.ts';

/** A notification as a JSON-RPC message. `params` is an object text or null. */
export function noticeText(method: string, params: Buffer | null): Buffer {
	const head = `{"jsonrpc":"2.0","method":${JSON.stringify(method)}`;
	if (params === null) return Buffer.from(`${head}}`);
	return Buffer.concat([Buffer.from(`${head},"params":`), params, closing]);
}

/** A request as a JSON-RPC message. `id` is JSON text, `params` an object text or null. */
export function requestText(id: string, method: string, params: Buffer | null): Buffer {
	const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)}`;
	if (params === null) return Buffer.from(`${head}}`);
	return Buffer.concat([Buffer.from(`${head},"params":`), params, closing]);
}

/** The response that carries a result. `id` is JSON text. */
export function resultResponse(id: Buffer, result: Buffer): Buffer {
	return Buffer.concat([responseHead, id, resultKey, result, closing]);
}

/** The same as pieces that make one text: a large result is not copied. */
export function resultPieces(id: Buffer, result: readonly Buffer[]): Buffer[] {
	return [Buffer.concat([responseHead, id, resultKey]), ...result, closing];
}

/** The response that carries an error; `id` is JSON text, null when the request's id is unknown. */
export function errorResponse(id: Buffer | null, error: McpError): Buffer {
	return Buffer.concat([responseHead, id ?? nullId, errorKey, errorText(error), closing]);
}

const responseHead = Buffer.from('{"jsonrpc":"2.0","id":');
const resultKey = Buffer.from(',"result":');
const errorKey = Buffer.from(',"error":');
const closing = Buffer.from('}');
const nullId = Buffer.from('null');
