import type { Exchange } from '../../http/exchange.ts';
import { code, mcpError } from '../errors.ts';
import type { Caller, Result } from '../model.ts';
import { type Pool, PoolLease } from '../connections/pool.ts';
import { callOf, tokenOf } from './call-of.ts';
import { anonymous } from './callers.ts';
import type { Envelope } from './envelope.ts';
import { HttpChannel, type HttpChannelOptions } from './http-channel.ts';
import { codecOf } from './legacy-codec.ts';
import { chooseVersion, type LegacyDialogue, legacyMeta } from './legacy-dialogue.ts';
import { settle, supportsVersion } from './legacy.ts';
import { refuse } from './refusals.ts';
import { CallReply } from './reply.ts';

export interface StatelessOptions {
	readonly pool: Pool;
	readonly dialogue: LegacyDialogue;
	readonly channel: HttpChannelOptions;
}

/** Serves the same clients without sessions (`statefulMode: stateless`), over pooled connections. */
export class StatelessFrontend {
	private readonly options: StatelessOptions;
	/** Tools whose results are wrapped, by the lists that were shown; all clients are shown the same. */
	wrappedTools: Set<string> | null = null;

	constructor(options: StatelessOptions) {
		this.options = options;
	}

	post(exchange: Exchange, envelope: Envelope): void {
		const opening = envelope.kind === 'request' && envelope.method === 'initialize';
		if (opening) exchange.facts.mcpMethod = 'initialize';
		else if (!supportsVersion(exchange, envelope.id)) return;
		if (envelope.kind !== 'request' || envelope.id === null) return exchange.respond(202, [], null);
		const { pool, channel, dialogue } = this.options;
		const lease = pool.lease(opening ? unasked(this.options.dialogue.openedBy(envelope)) : nobody);
		if (!(lease instanceof PoolLease)) return refuse(exchange, 429, envelope.id, lease, ['retry-after', '5']);
		const to = new HttpChannel(exchange, channel);
		const codec = codecOf(envelope, this, lease.connections.federation.naming.plain);
		const reply = new CallReply(to, envelope.id, tokenOf(envelope), codec, exchange.facts, null);
		reply.ended = () => lease.release();
		if (opening) {
			dialogue.greet(lease.connections, chooseVersion(envelope), (answer) => settle(reply, answer), withoutStreams);
		} else this.call(exchange, envelope, lease, reply);
	}

	private call(exchange: Exchange, envelope: Envelope, lease: PoolLease, reply: CallReply): void {
		if (envelope.method === 'ping') return reply.done(emptyResult);
		if (streamMethods.has(envelope.method)) {
			return reply.fail(
				mcpError(code.methodNotFound, `${envelope.method} needs a session, which this endpoint does not keep`),
			);
		}
		reply.follow(lease.connections.start(callOf(envelope, nobody, legacyMeta(envelope)), exchange.facts, reply));
	}

	batch(exchange: Exchange): void {
		refuse(exchange, 400, null, noBatches);
	}

	/** There is nothing to listen to and nothing to end. */
	get(exchange: Exchange): void {
		exchange.respond(405, notAllowed, 'This endpoint keeps no sessions; use POST.\n');
	}

	delete(exchange: Exchange): void {
		this.get(exchange);
	}
}

const nobody: Caller = {
	principal: anonymous,
	clientInfo: null,
	capabilities: Buffer.from('{}'),
	logLevel: null,
	handshake: true,
	interactive: false,
};

/** Without a session there is no way back to the client in mid-call, whatever it says it can do. */
function unasked(caller: Caller): Caller {
	return { ...nobody, clientInfo: caller.clientInfo };
}

/** What comes of these could reach nobody, and the connections are shared. */
const streamMethods: ReadonlySet<string> = new Set([
	'resources/subscribe',
	'resources/unsubscribe',
	'logging/setLevel',
]);

/** Capabilities without what only a stream could bring. */
function withoutStreams(text: Buffer): Buffer {
	const { logging: _, ...capabilities } = JSON.parse(text.toString()) as Record<string, unknown>;
	for (const list of ['tools', 'prompts', 'resources']) {
		const declared = capabilities[list];
		if (typeof declared !== 'object' || declared === null) continue;
		capabilities[list] = { ...declared, listChanged: undefined, subscribe: undefined };
	}
	return Buffer.from(JSON.stringify(capabilities));
}

const notAllowed = ['allow', 'POST', 'content-type', 'text/plain'];
const noBatches = mcpError(code.invalidRequest, 'batches exist only in sessions; send each message by itself');
const emptyResult: Result = { text: Buffer.from('{}'), type: 'complete', stamped: false };
