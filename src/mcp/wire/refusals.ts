import type { Exchange } from '../../http/exchange.ts';
import { cutText } from '../../lib/cut.ts';
import type { McpError } from '../model.ts';
import { errorResponse } from '../rpc-text.ts';

/** Answers a request with an error before any call has begun. `headers` is flat. */
export function refuse(
	exchange: Exchange,
	status: number,
	id: Buffer | null,
	error: McpError,
	headers: readonly string[] = [],
): void {
	exchange.facts.mcpErrorCode = error.code;
	exchange.facts.mcpErrorMessage = cutText(error.message);
	exchange.facts.reason = 'MCP';
	exchange.respond(status, ['content-type', 'application/json', ...headers], errorResponse(id, error));
}

/** The value of a header that comes once, without the space around it. */
export function header(exchange: Exchange, name: string): string | null {
	const value = exchange.headers[name];
	return typeof value === 'string' ? value.trim() : null;
}
