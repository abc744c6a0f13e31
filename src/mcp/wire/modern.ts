import type { Exchange, ReplyStream } from '../../http/exchange.ts';
import type { Beating, Heartbeat } from '../../lib/heartbeat.ts';
import { decodeString, isScanFault, type Member, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import type { Listener } from '../connections.ts';
import { code } from '../errors.ts';
import { greet } from '../greeting.ts';
import type { Call, Caller, Notice, Result } from '../model.ts';
import type { Pool, PoolLease } from '../pool.ts';
import { Callers, metaKeys, metaString } from './callers.ts';
import type { Envelope } from './envelope.ts';
import { CallReply, errorResponse, eventOf, noticeText, type ReplyCodec, streamHeaders } from './reply.ts';

/** Revisions without handshake that clients may speak. */
export const modernVersions: readonly string[] = ['2026-07-28'];

const ownMeta: ReadonlySet<string> = new Set([...Object.values(metaKeys), 'progressToken']);

/** Methods that ended with the handshake. */
const removedMethods: ReadonlySet<string> = new Set([
	'initialize',
	'ping',
	'logging/setLevel',
	'resources/subscribe',
	'resources/unsubscribe',
]);

/** Param whose value the `Mcp-Name` header repeats, by method. */
const namedBy: Readonly<Record<string, string>> = {
	'tools/call': 'name',
	'prompts/get': 'name',
	'resources/read': 'uri',
};

export interface ModernOptions {
	readonly pool: Pool;
	readonly heartbeat: Heartbeat;
	readonly version: string;
}

/** Serves clients of 2026-07-28: no sessions, each request carries who asks and what they can do. */
export class ModernFrontend {
	private readonly options: ModernOptions;
	private readonly listening = new Set<ListenReply>();
	private readonly callers = new Callers();

	constructor(options: ModernOptions) {
		this.options = options;
	}

	/** Ends the streams of `subscriptions/listen`. */
	endStreams(): void {
		for (const one of this.listening) one.end();
	}

	post(exchange: Exchange, envelope: Envelope): void {
		exchange.facts.mcpMethod = envelope.method;
		const fault = check(exchange, envelope);
		if (fault !== null) return refuse(exchange, envelope.id, fault);
		if (envelope.kind !== 'request' || envelope.id === null) return exchange.respond(202, [], null);
		const caller = this.callers.of(envelope);
		const lease = this.options.pool.lease(caller);
		if (lease === null) {
			return refuse(exchange, envelope.id, { status: 503, code: code.internal, message: 'too many clients at once' });
		}
		if (envelope.method === 'subscriptions/listen') return this.listen(exchange, envelope, lease);
		const reply = new CallReply(
			exchange,
			envelope.id,
			tokenOf(envelope),
			modernCodec(envelope.method),
			[],
			this.options.heartbeat,
		);
		reply.ended = () => lease.release();
		if (envelope.method === 'server/discover') return this.discover(lease, reply);
		reply.follow(lease.connections.start(callOf(envelope, caller), exchange.facts, reply));
	}

	private listen(exchange: Exchange, envelope: Envelope, lease: PoolLease): void {
		const reply = new ListenReply(exchange, envelope, lease, this.options.heartbeat, () =>
			this.listening.delete(reply),
		);
		this.listening.add(reply);
		reply.start();
	}

	private discover(lease: PoolLease, reply: CallReply): void {
		const { upstreams, federation } = lease.connections;
		upstreams.whenSettled(() => {
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

interface Fault {
	readonly status: number;
	readonly code: number;
	readonly message: string;
	readonly data?: Buffer;
}

/** The checks of 2026-07-28 "Streamable HTTP", in an order in which each error names the first thing to mend. */
function check(exchange: Exchange, envelope: Envelope): Fault | null {
	if (envelope.kind === 'response') {
		return { status: 400, code: code.invalidRequest, message: 'clients of this version send no responses' };
	}
	const version = metaString(envelope, metaKeys.version);
	if (version === null) {
		return {
			status: 400,
			code: code.invalidParams,
			message: `params._meta["${metaKeys.version}"] is missing or no string`,
		};
	}
	if (!modernVersions.includes(version)) {
		const data = Buffer.from(JSON.stringify({ supported: modernVersions, requested: version }));
		return {
			status: 400,
			code: code.unsupportedVersion,
			message: `protocol version ${version} is not supported`,
			data,
		};
	}
	const capabilities = envelope.meta.find((member) => member.key === metaKeys.capabilities);
	if (capabilities === undefined || envelope.params.text[capabilities.start] !== 0x7b) {
		return {
			status: 400,
			code: code.invalidParams,
			message: `params._meta["${metaKeys.capabilities}"] is missing or no object`,
		};
	}
	if (removedMethods.has(envelope.method)) {
		return { status: 404, code: code.methodNotFound, message: `Method not found: ${envelope.method}` };
	}
	return checkHeaders(exchange, envelope, version);
}

function checkHeaders(exchange: Exchange, envelope: Envelope, version: string): Fault | null {
	const wrong = (header: string, expected: string, found: string | null): Fault => ({
		status: 400,
		code: code.headerMismatch,
		message:
			found === null
				? `the ${header} header is missing`
				: `the ${header} header does not match the body, which says ${JSON.stringify(expected)}`,
	});
	const headerVersion = header(exchange, 'mcp-protocol-version');
	if (headerVersion !== version) return wrong('MCP-Protocol-Version', version, headerVersion);
	const method = header(exchange, 'mcp-method');
	if (method !== envelope.method) return wrong('Mcp-Method', envelope.method, method);
	const key = Object.hasOwn(namedBy, envelope.method) ? namedBy[envelope.method] : undefined;
	if (key === undefined) return null;
	const member = envelope.params.members?.find((one) => one.key === key);
	const text = envelope.params.text;
	if (member === undefined || text[member.start] !== 0x22) return null;
	const expected = decodeString(text, member.start, member.end);
	const raw = header(exchange, 'mcp-name');
	if (raw === null || decodeHeader(raw) !== expected) return wrong('Mcp-Name', expected, raw);
	return null;
}

const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** Reads a header value that may be Base64 in the sentinel `=?base64?…?=`; null when it is broken. */
export function decodeHeader(value: string): string | null {
	if (!value.startsWith('=?base64?')) return value;
	const encoded = sentinel.exec(value)?.[1];
	if (encoded === undefined || encoded.length % 4 !== 0) return null;
	return Buffer.from(encoded, 'base64').toString('utf8');
}

function callOf(envelope: Envelope, caller: Caller): Call {
	return {
		method: envelope.method,
		params: envelope.params,
		edits: [],
		meta: foreignMeta(envelope.meta),
		name: null,
		wantsProgress: envelope.meta.some((member) => member.key === 'progressToken'),
		caller,
		origin: 'client',
	};
}

/** Most clients send nothing but what describes themselves. */
function foreignMeta(meta: readonly Member[]): readonly Member[] {
	for (const member of meta) if (!ownMeta.has(member.key)) return meta.filter((one) => !ownMeta.has(one.key));
	return [];
}

function tokenOf(envelope: Envelope): Buffer | null {
	const member = envelope.meta.find((one) => one.key === 'progressToken');
	return member === undefined ? null : envelope.params.text.subarray(member.start, member.end);
}

/** Results of these methods must say for how long they may be kept. */
const cacheable: ReadonlySet<string> = new Set([
	'tools/list',
	'prompts/list',
	'resources/list',
	'resources/templates/list',
	'resources/read',
]);

const plainCodec: ReplyCodec = {
	result: (result) => stamp(result, '"resultType":"complete"'),
	status: (error) => (error.code === code.methodNotFound ? 404 : 200),
	// -32002 was "resource not found" and means nothing any more.
	error: (error) => (error.code === -32002 ? { ...error, code: code.invalidParams } : error),
	cancelsWhenGone: true,
};

const listCodec: ReplyCodec = {
	...plainCodec,
	result: (result) => stamp(result, '"resultType":"complete","ttlMs":0,"cacheScope":"private"'),
};

function modernCodec(method: string): ReplyCodec {
	return cacheable.has(method) ? listCodec : plainCodec;
}

function stamp(result: Result, members: string): Buffer {
	if (result.stamped) return result.text;
	const scanned = scanJson(result.text, {});
	if (isScanFault(scanned) || scanned.members === null) return result.text;
	const have = new Set(scanned.members.map((member) => member.key));
	const wanted = members.split(',').filter((member) => !have.has(member.slice(1, member.indexOf('"', 1))));
	if (wanted.length === 0) return result.text;
	const comma = scanned.members.length === 0 ? '' : ',';
	return splice(result.text, [{ start: scanned.start + 1, end: scanned.start + 1, text: wanted.join(',') + comma }]);
}

/** `subscriptions/listen`: a stream of list changes that lasts until the client goes. */
class ListenReply implements Listener, Beating {
	slot = -1;
	private readonly exchange: Exchange;
	private readonly envelope: Envelope;
	private readonly lease: PoolLease;
	private readonly heartbeat: Heartbeat;
	private readonly wanted: ReadonlySet<string>;
	private readonly stopped: () => void;
	private over = false;
	private reply: ReplyStream | null = null;
	private lastWrite = performance.now();

	constructor(exchange: Exchange, envelope: Envelope, lease: PoolLease, heartbeat: Heartbeat, stopped: () => void) {
		this.exchange = exchange;
		this.stopped = stopped;
		this.envelope = envelope;
		this.lease = lease;
		this.heartbeat = heartbeat;
		this.wanted = wantedNotices(envelope);
	}

	start(): void {
		this.reply = this.exchange.stream(200, streamHeaders);
		this.exchange.onGone(() => this.stop());
		this.heartbeat.add(this);
		const honoured: Record<string, boolean> = {};
		for (const key of listChanges.keys()) if (this.wanted.has(key)) honoured[key] = true;
		const params = Buffer.from(`{"notifications":${JSON.stringify(honoured)},"_meta":${this.meta()}}`);
		this.write('notifications/subscriptions/acknowledged', params);
		this.lease.connections.listen(this);
	}

	note(notice: Notice): void {
		for (const [key, method] of listChanges) {
			if (method === notice.method && this.wanted.has(key)) this.write(method, Buffer.from(`{"_meta":${this.meta()}}`));
		}
	}

	beat(now: number): void {
		if (now - this.lastWrite < 15_000) return;
		this.lastWrite = now;
		this.reply?.write(': keep-alive\n\n');
	}

	private write(method: string, params: Buffer): void {
		this.reply?.write(eventOf(noticeText(method, params)));
		this.lastWrite = performance.now();
	}

	private meta(): string {
		return `{"io.modelcontextprotocol/subscriptionId":${this.envelope.id?.toString() ?? 'null'}}`;
	}

	/** Ends the stream from this side, with the result that says so. */
	end(): void {
		if (this.over || this.reply === null) return;
		const id = this.envelope.id?.toString() ?? 'null';
		this.reply.write(
			eventOf(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","_meta":${this.meta()}}}`)),
		);
		this.stop();
		this.reply.end();
	}

	private stop(): void {
		if (this.over) return;
		this.over = true;
		this.stopped();
		this.heartbeat.remove(this);
		this.lease.connections.unlisten(this);
		this.lease.release();
	}
}

const listChanges: ReadonlyMap<string, string> = new Map([
	['toolsListChanged', 'notifications/tools/list_changed'],
	['promptsListChanged', 'notifications/prompts/list_changed'],
	['resourcesListChanged', 'notifications/resources/list_changed'],
]);

function wantedNotices(envelope: Envelope): ReadonlySet<string> {
	const { text, start, end } = envelope.params;
	const scanned = scanJson(Buffer.from(text.subarray(start, end)), { notifications: {} });
	const wanted = new Set<string>();
	if (isScanFault(scanned)) return wanted;
	for (const member of scanned.members?.find((one) => one.key === 'notifications')?.members ?? []) {
		if (scanned.text.toString('latin1', member.start, member.end) === 'true') wanted.add(member.key);
	}
	return wanted;
}

function refuse(exchange: Exchange, id: Buffer | null, fault: Fault): void {
	exchange.facts.mcpErrorCode = fault.code;
	exchange.facts.mcpErrorMessage = fault.message;
	exchange.facts.reason = 'MCP';
	const body = errorResponse(id, fault.code, fault.message, fault.data ?? null);
	exchange.respond(fault.status, ['content-type', 'application/json'], body);
}

function header(exchange: Exchange, name: string): string | null {
	const value = exchange.headers[name];
	return typeof value === 'string' ? value.trim() : null;
}
