import type { Exchange } from '../../http/exchange.ts';
import { cutText } from '../../lib/cut.ts';
import { mcpError } from '../errors.ts';
import type { Envelope } from './envelope.ts';
import { HttpChannel, type HttpChannelOptions } from './http-channel.ts';
import { checkBody, checkHeaders } from './modern-checks.ts';
import type { ModernDialogue } from './modern-dialogue.ts';
import { header, refuse } from './refusals.ts';

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
		exchange.facts.mcpMethod = cutText(envelope.method);
		const { dialogue } = this.options;
		const fault = checkBody(envelope, header(exchange, 'mcp-protocol-version')) ?? checkHeaders(exchange, envelope);
		if (fault !== null) {
			const { status, code, message, data = null } = fault;
			return refuse(exchange, status, envelope.id, { ...mcpError(code, message), data });
		}
		// Over HTTP a call is taken back by closing its request.
		if (envelope.kind !== 'request' || envelope.id === null) return exchange.respond(202, [], null);
		const channel = new HttpChannel(exchange, this.options.channel);
		dialogue.request({ envelope, id: envelope.id, mirrored: exchange.headers }, channel, exchange.facts);
	}
}
