import type { Caller, McpError, Notice, ServerFacts, Ticket, Topic } from '../model.ts';
import { code, mcpError } from '../errors.ts';
import { isScanFault, type Scanned, scanJson } from '../../lib/json-scan.ts';
import type { Connection } from './connection.ts';
import { maximumParsedBytes, memberOf, textOf } from './message.ts';
import { listenHeaders, listenText } from './modern.ts';
import type { TopicStream } from './topic-stream.ts';
import type { Transport } from './transport/transport.ts';

export interface ListenOptions {
	readonly target: string;
	readonly transport: Transport;
	readonly connection: Connection;
	readonly server: ServerFacts;
	readonly caller: Caller;
	note(notice: Notice): void;
}

/** A stream that ended is asked for again after this pause. */
const againMs = 5000;

/**
 * What a connection hears of its server outside calls, by `subscriptions/listen` (MCP 2026-07-28): list changes from
 * the start, resources and tasks as they are watched. A filter cannot be changed, so a new stream is opened with the
 * new filter, and the old one is closed once the new one stands: nothing is missed in between.
 */
export class ListenStreams implements TopicStream {
	/** Since when the server says what changes; null: it does not now. */
	hearsSince: number | null = null;
	private readonly options: ListenOptions;
	private readonly lists: Readonly<Record<string, true>>;
	private readonly topics = new Map<string, Watched>();
	private current: Ticket | null = null;
	private changing = false;
	private timer: NodeJS.Timeout | null = null;
	private closed = false;

	constructor(options: ListenOptions) {
		this.options = options;
		this.lists = announcedLists(options.server.capabilities);
	}

	begin(): void {
		if (Object.keys(this.lists).length > 0) this.ask(false);
	}

	watch(topic: Topic, done: (refusal: McpError | null) => void): void {
		const known = this.topics.get(keyOf(topic));
		if (known === undefined) this.topics.set(keyOf(topic), { topic, waiting: [done] });
		else if (known.waiting === null) return done(null);
		else known.waiting.push(done);
		this.change();
	}

	unwatch(topic: Topic): void {
		if (this.topics.delete(keyOf(topic))) this.change();
	}

	close(): void {
		this.closed = true;
		this.hearsSince = null;
		if (this.timer !== null) clearTimeout(this.timer);
		this.current?.cancel();
		const asked = new Set(this.topics.keys());
		this.refuseWaiting(asked, mcpError(code.internal, 'the connection ended', this.options.target));
	}

	/** Several changes in one go make one new stream. */
	private change(): void {
		if (this.changing) return;
		this.changing = true;
		setImmediate(() => {
			this.changing = false;
			if (!this.closed) this.ask(false);
		});
	}

	private ask(again: boolean): void {
		const filter = this.filter();
		// What is watched later is not for this stream to decide.
		const asked = new Set(this.topics.keys());
		const previous = this.current;
		this.current = null;
		if (Object.keys(filter).length === 0) return previous?.cancel();
		// What changed in the meantime was not heard.
		if (again) for (const notice of this.missed()) this.options.note(notice);
		const stream = new ListenStream(this.options, filter, {
			acknowledged: (honoured) => {
				previous?.cancel();
				this.hearsSince ??= performance.now();
				this.settle(asked, honoured);
			},
			refused: (error) => {
				// The old stream goes on; only what was new is refused.
				if (this.current === stream && previous !== null) this.current = previous;
				this.refuseWaiting(asked, error);
				// It was given before; a proxy may refuse while the server behind it restarts.
				if (again && this.current === stream) this.later();
			},
			ended: () => {
				if (this.current !== stream) return;
				previous?.cancel();
				this.hearsSince = null;
				this.later();
			},
		});
		this.current = stream;
		stream.begin();
	}

	private later(): void {
		if (this.closed) return;
		this.timer = setTimeout(() => this.ask(true), againMs);
		this.timer.unref();
	}

	private filter(): Record<string, unknown> {
		const filter: Record<string, unknown> = { ...this.lists };
		const of = (kind: Topic['kind']) =>
			[...this.topics.values()].filter(({ topic }) => topic.kind === kind).map(({ topic }) => topic.id);
		const [resources, tasks] = [of('resource'), of('task')];
		if (resources.length > 0) filter['resourceSubscriptions'] = resources;
		if (tasks.length > 0) filter['taskIds'] = tasks;
		return filter;
	}

	/** Tells who waits whether the server took the topic. */
	private settle(asked: ReadonlySet<string>, honoured: ReadonlySet<string>): void {
		for (const [key, watched] of [...this.topics]) {
			if (watched.waiting === null || !asked.has(key)) continue;
			const { waiting, topic } = watched;
			watched.waiting = null;
			const taken = honoured.has(key);
			if (!taken) this.topics.delete(key);
			const refusal = taken
				? null
				: mcpError(code.invalidParams, `the server does not report changes of ${topic.id}`, this.options.target);
			for (const done of waiting) done(refusal);
		}
	}

	private refuseWaiting(asked: ReadonlySet<string>, error: McpError): void {
		for (const [key, { waiting }] of [...this.topics]) {
			if (waiting === null || !asked.has(key)) continue;
			this.topics.delete(key);
			for (const done of waiting) done(error);
		}
	}

	private missed(): Notice[] {
		return Object.keys(this.lists).map((key) => ({
			method: `notifications/${key.replace('ListChanged', '')}/list_changed`,
			params: null,
		}));
	}
}

interface Watched {
	readonly topic: Topic;
	/** Who waits for the server's word; null once it has spoken. */
	waiting: ((refusal: McpError | null) => void)[] | null;
}

interface ListenStreamEvents {
	/** Keys of the topics that the server reports. */
	acknowledged(honoured: ReadonlySet<string>): void;
	refused(error: McpError): void;
	/** It broke or ended and may be asked for again. */
	ended(): void;
}

/** One `subscriptions/listen` request. */
class ListenStream implements Ticket {
	private readonly options: ListenOptions;
	private readonly filter: Readonly<Record<string, unknown>>;
	private readonly events: ListenStreamEvents;
	private readonly id: number;
	private ticket: Ticket | null = null;
	private over = false;
	private standing = false;

	constructor(options: ListenOptions, filter: Readonly<Record<string, unknown>>, events: ListenStreamEvents) {
		this.options = options;
		this.filter = filter;
		this.events = events;
		this.id = options.connection.takeId();
	}

	begin(): void {
		const { transport, caller, connection, target } = this.options;
		const message = listenText(this.id, caller, this.filter);
		this.ticket = transport.request(
			{ id: this.id, message, headers: listenHeaders, lasting: true },
			{
				message: (scanned) => this.message(scanned),
				failed: (fault) => {
					if (this.over) return;
					this.over = true;
					if (fault.kind === 'io' || (fault.kind === 'http' && (fault.status === 429 || fault.status >= 500)))
						this.events.ended();
					else this.events.refused(mcpError(code.internal, `target "${target}" refused to be listened to`, target));
				},
			},
		);
		// Over a channel that all share, the acknowledgement comes to nobody in particular.
		connection.onAcknowledged(this.id, (scanned) => this.acknowledged(scanned));
	}

	cancel(): void {
		if (this.over) return;
		this.over = true;
		this.options.connection.onAcknowledged(this.id, null);
		this.ticket?.cancel();
		this.options.connection.cancelled(this.id, undefined);
	}

	private message(scanned: Scanned): void {
		if (this.over) return;
		const method = memberOf(scanned.members, 'method');
		if (method !== null) {
			// On a stream of its own the acknowledgement needs no id.
			if (textOf(scanned, method).toString() === acknowledgement) return this.acknowledged(scanned);
			return this.options.connection.unsolicited(scanned, null);
		}
		this.over = true;
		this.options.connection.onAcknowledged(this.id, null);
		const error = memberOf(scanned.members, 'error');
		if (error === null) this.events.ended();
		else this.events.refused(this.options.connection.errorOf(scanned, error));
	}

	private acknowledged(scanned: Scanned): void {
		if (this.over || this.standing) return;
		this.standing = true;
		this.events.acknowledged(honouredKeys(scanned));
	}
}

const acknowledgement = '"notifications/subscriptions/acknowledged"';

/** The topics that an acknowledgement names. */
function honouredKeys(scanned: Scanned): ReadonlySet<string> {
	const keys = new Set<string>();
	const params = memberOf(scanned.members, 'params');
	if (params === null || params.end - params.start > maximumParsedBytes) return keys;
	const again = scanJson(Buffer.from(textOf(scanned, params)), { notifications: {} });
	if (isScanFault(again)) return keys;
	const honoured = memberOf(again.members, 'notifications');
	for (const [member, kind] of [
		[memberOf(honoured?.members, 'resourceSubscriptions'), 'resource'],
		[memberOf(honoured?.members, 'taskIds'), 'task'],
	] as const) {
		const ids = member === null ? [] : (JSON.parse(textOf(again, member).toString()) as unknown);
		if (Array.isArray(ids)) for (const id of ids) if (typeof id === 'string') keys.add(keyOf({ kind, id }));
	}
	return keys;
}

function keyOf({ kind, id }: Topic): string {
	return `${kind} ${id}`;
}

/** The list changes that a server announces, as a filter. */
function announcedLists(capabilities: Readonly<Record<string, unknown>>): Record<string, true> {
	const lists: Record<string, true> = {};
	for (const list of ['tools', 'prompts', 'resources']) {
		const own = capabilities[list];
		if (typeof own === 'object' && own !== null && 'listChanged' in own && own.listChanged === true) {
			lists[`${list}ListChanged`] = true;
		}
	}
	return lists;
}
