import type { Failure, McpError } from './model.ts';

/** JSON-RPC and MCP error codes that the gateway itself gives. */
export const code = {
	parse: -32700,
	invalidRequest: -32600,
	methodNotFound: -32601,
	invalidParams: -32602,
	internal: -32603,
	headerMismatch: -32020,
	missingCapability: -32021,
	unsupportedVersion: -32022,
	urlElicitationRequired: -32042,
	cancelled: -32800,
} as const;

/** Makes an error of the gateway's own. */
export function mcpError(number: number, message: string, target?: string): McpError {
	return target === undefined ? { code: number, message, data: null } : { code: number, message, data: null, target };
}

/** There is too much under way; what was asked can be asked again a little later. */
export function tooMuch(message: string): McpError {
	return { ...mcpError(code.internal, message), retryAfter: 5 };
}

/** The answer to what the gateway's end leaves unfinished. */
export const stopping: McpError = mcpError(code.internal, 'the gateway is stopping');

/**
 * A target cannot be reached. One for whose process there is no room now can be asked for again a little later; then the
 * message says what helps.
 */
export function awayError(target: string, failure: Failure | null, otherwise: string): McpError {
	const reason = failure?.reason ?? otherwise;
	const away = `target "${target}" is not available: ${reason}`;
	if (failure?.retryAfter === undefined) return mcpError(code.internal, away, target);
	return { ...mcpError(code.internal, `${away}. ${failure.remedy}`, target), retryAfter: failure.retryAfter };
}

/** The error object as JSON text. */
export function errorText(error: McpError): Buffer {
	const head = `{"code":${error.code},"message":${JSON.stringify(error.message)}`;
	if (error.data === null) return Buffer.from(`${head}}`);
	return Buffer.concat([Buffer.from(`${head},"data":`), error.data, Buffer.from('}')]);
}
