import type { Exchange } from '../../http/exchange.ts';
import { mcpError } from '../errors.ts';
import { errorResponse } from '../rpc-text.ts';
import type { Envelope } from './envelope.ts';
import { HttpChannel, type HttpChannelOptions } from './http-channel.ts';
import { checkBody, checkHeaders, type Fault, header } from './modern-checks.ts';
import type { ModernDialogue } from './modern-dialogue.ts';

export interface ModernOptions {
	readonly dialogue: ModernDialogue;
	readonly channel: HttpChannelOptions;
}

/** Serves clients of 2026-07-28 over Streamable HTTP. */
export class ModernFrontend {
	private readonly options: ModernOptions;

	constructor(options: ModernOptions) {
		this.options = options;
	}

	post(exchange: Exchange, envelope: Envelope): void {
		exchange.facts.mcpMethod = envelope.method;
		const { dialogue } = this.options;
		const fault = checkBody(envelope, header(exchange, 'mcp-protocol-version')) ?? checkHeaders(exchange, envelope);
		if (fault !== null) return refuse(exchange, envelope.id, fault);
		// Over HTTP a call is taken back by closing its request.
		if (envelope.kind !== 'request' || envelope.id === null) return exchange.respond(202, [], null);
		const channel = new HttpChannel(exchange, this.options.channel);
		dialogue.request({ envelope, id: envelope.id, mirrored: exchange.headers }, channel, exchange.facts);
	}
}

function refuse(exchange: Exchange, id: Buffer | null, fault: Fault): void {
	exchange.facts.mcpErrorCode = fault.code;
	exchange.facts.mcpErrorMessage = fault.message;
	exchange.facts.reason = 'MCP';
	const body = errorResponse(id, { ...mcpError(fault.code, fault.message), data: fault.data ?? null });
	exchange.respond(fault.status, ['content-type', 'application/json'], body);
}
