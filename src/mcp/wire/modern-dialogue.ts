import type { Facts } from '../../facts/facts.ts';
import { cutText } from '../../lib/cut.ts';
import { inSlices } from '../../lib/in-slices.ts';
import { isScanFault, type Member, scanJson } from '../../lib/json-scan.ts';
import { greet } from '../greeting.ts';
import { askingMethods } from '../legs/lanes.ts';
import { missingTarget } from '../missing.ts';
import type { Call, Caller, JsonText } from '../model.ts';
import { type Parking, ParkedCall } from '../asks/parked.ts';
import { type Pool, PoolLease } from '../connections/pool.ts';
import { callOf, tokenOf } from './call-of.ts';
import { Callers, metaKeys } from './callers.ts';
import type { ReplyChannel } from './channel.ts';
import { type Envelope, stringParam } from './envelope.ts';
import { modernVersions } from './modern-checks.ts';
import { modernCodec } from './modern-codec.ts';
import { ListenReply } from './modern-listen.ts';
import { CallReply } from './reply.ts';

const ownMeta: ReadonlySet<string> = new Set([...Object.values(metaKeys), 'progressToken']);

export interface ModernDialogueOptions {
	readonly pool: Pool;
	readonly parking: Parking;
	/** The gateway's own version. */
	readonly version: string;
}

/** A request that was checked. */
export interface ModernRequest {
	readonly envelope: Envelope;
	/** Its id as JSON text. */
	readonly id: Buffer;
	/** Headers that must fit the body; null where the transport has none. */
	readonly mirrored: Call['mirrored'];
}

/** What clients of 2026-07-28 say: no sessions, each request carries who asks and what they can do. */
export class ModernDialogue {
	private readonly options: ModernDialogueOptions;
	private readonly listening = new Set<ListenReply>();
	private stopping = false;
	private readonly callers = new Callers();

	constructor(options: ModernDialogueOptions) {
		this.options = options;
	}

	/** Ends the streams of `subscriptions/listen`, and refuses further ones. */
	async endStreams(): Promise<void> {
		this.stopping = true;
		await inSlices(this.listening, (one) => one.end());
	}

	/** Starts a request that was checked; its answer comes on the channel. The reply can be taken back. */
	request(request: ModernRequest, channel: ReplyChannel, facts: Facts): { cancel(reason?: string): void } {
		const { envelope, id, mirrored } = request;
		facts.mcpMethod = cutText(envelope.method);
		const caller = this.callers.of(envelope, facts.sourceAddress);
		const reply = new CallReply(channel, id, tokenOf(envelope), modernCodec(envelope.method), facts, null);
		reply.logLevel = caller.logLevel;
		if (this.stopping && envelope.method === 'subscriptions/listen') {
			reply.stop();
			return reply;
		}
		const lease = this.options.pool.lease(caller, envelope.method !== 'subscriptions/listen');
		if (!(lease instanceof PoolLease)) {
			reply.fail(lease);
			return reply;
		}
		if (envelope.method === 'subscriptions/listen') return this.listen(envelope, id, channel, lease);
		if (caller.interactive && askingMethods.has(envelope.method)) {
			this.interactive(request, caller, lease, reply, channel, facts);
			return reply;
		}
		reply.ended = () => lease.release();
		if (envelope.method === 'server/discover') this.discover(lease, reply);
		else
			reply.follow(
				lease.connections.start(callOf(envelope, caller, foreignMeta(envelope.meta), mirrored), facts, reply),
			);
		return reply;
	}

	/** The server may ask in the middle of this call, or the call may be the answer to what it asked. */
	private interactive(
		{ envelope, mirrored }: ModernRequest,
		caller: Caller,
		lease: PoolLease,
		reply: CallReply,
		channel: ReplyChannel,
		facts: Facts,
	): void {
		const { method } = envelope;
		const key = method === 'resources/read' ? 'uri' : 'name';
		const binding = { principal: caller.principal, method, name: stringParam(envelope, key) };
		const state = stringParam(envelope, 'requestState');
		const known = state === null ? 'foreign' : this.options.parking.take(state, binding);
		if (known !== 'foreign') {
			lease.release();
			if (!(known instanceof ParkedCall)) return reply.fail(known);
			reply.follow(known);
			return known.resume(reply, inputResponses(envelope), channel.exchange ?? null);
		}
		// A call that waits for its client lasts longer than its request.
		const body = channel.exchange?.keepBody();
		const released = () => {
			lease.release();
			body?.release();
		};
		const parked = new ParkedCall(this.options.parking, binding, caller, reply, released, envelope.params.text.length);
		reply.follow(parked);
		const call = callOf(envelope, caller, foreignMeta(envelope.meta), mirrored);
		parked.begin((sink) => lease.connections.start(call, facts, sink));
	}

	private listen(envelope: Envelope, id: Buffer, channel: ReplyChannel, lease: PoolLease): ListenReply {
		const reply = new ListenReply({ envelope, id, channel, lease, version: this.options.version }, () =>
			this.listening.delete(reply),
		);
		this.listening.add(reply);
		reply.start();
		return reply;
	}

	private discover(lease: PoolLease, reply: CallReply): void {
		const { upstreams, federation } = lease.connections;
		upstreams.whenSettled(() => {
			const missing = missingTarget(upstreams, federation.refuseWhenMissing);
			if (missing !== null) return reply.fail(missing);
			const greeting = greet(upstreams, federation.naming, this.options.version);
			const tail = greeting.instructions === null ? '' : `,"instructions":${JSON.stringify(greeting.instructions)}`;
			const text = Buffer.concat([
				Buffer.from(`{"resultType":"complete","supportedVersions":${JSON.stringify(modernVersions)},"capabilities":`),
				greeting.capabilities,
				Buffer.from(`${tail},"ttlMs":0,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":`),
				greeting.serverInfo,
				Buffer.from('}}'),
			]);
			reply.done({ text, type: 'complete', stamped: true });
		});
	}
}

/** Most clients send nothing but what describes themselves. */
function foreignMeta(meta: readonly Member[]): readonly Member[] {
	for (const member of meta) if (!ownMeta.has(member.key)) return meta.filter((one) => !ownMeta.has(one.key));
	return [];
}

/** The answers that a call brings, by the key of their question. */
function inputResponses(envelope: Envelope): ReadonlyMap<string, JsonText> {
	const answers = new Map<string, JsonText>();
	const member = envelope.params.members?.find((one) => one.key === 'inputResponses');
	if (member === undefined) return answers;
	const scanned = scanJson(Buffer.from(envelope.params.text.subarray(member.start, member.end)), {});
	if (isScanFault(scanned)) return answers;
	for (const { key, start, end } of scanned.members ?? []) answers.set(key, scanned.text.subarray(start, end));
	return answers;
}
