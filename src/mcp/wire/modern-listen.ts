import { decodeString, isScanFault, type Member, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import type { Listener } from '../connections/connections.ts';
import { code, mcpError } from '../errors.ts';
import { greet } from '../greeting.ts';
import { isWithin } from '../is-within.ts';
import type { Notice, Topic } from '../model.ts';
import type { PoolLease } from '../connections/pool.ts';
import { errorResponse, noticeText, resultResponse } from '../rpc-text.ts';
import type { ReplyChannel } from './channel.ts';
import type { Envelope } from './envelope.ts';

export interface ListenRequest {
	readonly envelope: Envelope;
	/** The request's id as JSON text; it is the id of the subscription, too. */
	readonly id: Buffer;
	readonly channel: ReplyChannel;
	readonly lease: PoolLease;
	/** The gateway's own version. */
	readonly version: string;
}

/** One list of a filter, with the notification that tells of its changes. */
const listChanges: ReadonlyMap<string, string> = new Map([
	['toolsListChanged', 'tools'],
	['promptsListChanged', 'prompts'],
	['resourcesListChanged', 'resources'],
]);

/** More resources and tasks in one filter are refused. */
const maximumTopics = 1000;
/** What changes before the first message waits, up to this size. */
const maximumEarlyBytes = 1024 * 1024;

/** `subscriptions/listen`: a stream of changes that lasts until the client goes (MCP 2026-07-28, "Subscriptions"). */
export class ListenReply implements Listener {
	private readonly request: Omit<ListenRequest, 'envelope'>;
	private readonly stopped: () => void;
	private filter: Filter;
	/** What the servers really report, by the names that the client knows. */
	private readonly lists = new Set<string>();
	private readonly topics: FollowedTopic[] = [];
	private early: Notice[] | null = [];
	private earlyBytes = 0;
	private over = false;

	constructor({ envelope, id, channel, lease, version }: ListenRequest, stopped: () => void) {
		// It lasts for days: nothing of the message is kept, not even by a view of its bytes.
		this.request = { id: Buffer.from(id), channel, lease, version };
		this.stopped = stopped;
		this.filter = readFilter(envelope);
	}

	/** The first message says what is honoured, so the servers are asked before anything is said. */
	start(): void {
		const { channel, lease } = this.request;
		channel.onGone(() => this.stop());
		const tooMany = this.filter.tooMany || this.filter.topics.length > maximumTopics;
		if (!this.filter.valid || tooMany) {
			const message = tooMany
				? `at most ${maximumTopics} resources and tasks can be listened to at once`
				: 'subscriptions/listen needs params.notifications, an object';
			return this.refuse(message);
		}
		lease.connections.listen(this);
		lease.connections.upstreams.whenSettled(() => this.subscribe());
	}

	note(notice: Notice): void {
		if (this.early !== null) {
			this.earlyBytes += notice.params?.length ?? 0;
			if (this.early.length < maximumTopics && this.earlyBytes <= maximumEarlyBytes) this.early.push(notice);
			return;
		}
		if (this.wants(notice)) this.write(notice.method, notice.params);
	}

	/** The client takes its request back; nothing more is said. */
	cancel(): void {
		if (this.over) return;
		this.stop();
		this.request.channel.finish(resultResponse(this.request.id, this.endResult()), 200);
	}

	/** Ends the stream from this side, with the result that says so. */
	end(): void {
		this.cancel();
	}

	private subscribe(): void {
		if (this.over) return;
		const { connections } = this.request.lease;
		for (const list of announcedLists(this.request)) if (this.filter.lists.has(list)) this.lists.add(list);
		const { topics } = this.filter;
		// Those that nobody reports are forgotten.
		this.filter = { ...this.filter, topics: [] };
		let open = topics.length;
		if (open === 0) return this.acknowledge();
		for (const wanted of topics) {
			const { naming } = connections.federation;
			const named = wanted.kind === 'task' ? naming.ownerOfTask(wanted.exposed) : naming.ownerOfUri(wanted.exposed);
			const owner = named === null || named.hidden !== null ? null : named;
			const settled = (refused: boolean, topic: Topic | null) => {
				if (!refused && topic !== null && owner !== null) this.topics.push({ ...wanted, target: owner.target, topic });
				if (--open === 0 && !this.over) this.acknowledge();
			};
			if (owner === null) settled(true, null);
			else {
				const topic: Topic = { kind: wanted.kind, id: owner.name };
				connections.subscriptions.add(this, owner.target, topic, (refusal) => settled(refusal !== null, topic));
			}
		}
	}

	private acknowledge(): void {
		const honoured: Record<string, unknown> = {};
		for (const list of this.lists) honoured[list] = true;
		const of = (kind: Topic['kind']) => this.topics.filter((one) => one.kind === kind).map(({ exposed }) => exposed);
		const [resources, tasks] = [of('resource'), of('task')];
		if (resources.length > 0) honoured['resourceSubscriptions'] = resources;
		if (tasks.length > 0) honoured['taskIds'] = tasks;
		this.write('notifications/subscriptions/acknowledged', Buffer.from(JSON.stringify({ notifications: honoured })));
		const early = this.early ?? [];
		this.early = null;
		for (const notice of early) this.note(notice);
	}

	private wants(notice: Notice): boolean {
		const list = /^notifications\/(\w+)\/list_changed$/.exec(notice.method)?.[1];
		if (list !== undefined) return this.lists.has(`${list}ListChanged`);
		if (notice.method === 'notifications/resources/updated') {
			const uri = paramOf(notice, 'uri');
			return uri !== null && this.topics.some((one) => one.kind === 'resource' && isWithin(uri, one.exposed));
		}
		if (notice.method === 'notifications/tasks') {
			const task = paramOf(notice, 'taskId');
			return this.topics.some((one) => one.kind === 'task' && one.exposed === task);
		}
		return false;
	}

	private write(method: string, params: Buffer | null): void {
		if (this.over) return;
		const sent = this.request.channel.send(noticeText(method, withSubscription(params, this.request.id)));
		if (!sent) this.cancel();
	}

	private refuse(message: string): void {
		this.stop();
		this.request.channel.finish(errorResponse(this.request.id, mcpError(code.invalidParams, message)), 200);
	}

	private endResult(): Buffer {
		return Buffer.from(`{"resultType":"complete","_meta":{"${subscriptionKey}":${this.request.id.toString()}}}`);
	}

	private stop(): void {
		if (this.over) return;
		this.over = true;
		this.stopped();
		const { connections } = this.request.lease;
		connections.unlisten(this);
		connections.subscriptions.removeAll(this);
		this.request.lease.release();
	}
}

interface WantedTopic {
	readonly kind: Topic['kind'];
	/** As the client names it. */
	readonly exposed: string;
}

interface FollowedTopic extends WantedTopic {
	readonly target: string;
	readonly topic: Topic;
}

interface Filter {
	readonly valid: boolean;
	/** It names more than is worth reading. */
	readonly tooMany: boolean;
	readonly lists: ReadonlySet<string>;
	readonly topics: readonly WantedTopic[];
}

/** Of the filter, its lists included; each takes a hundred bytes while it is read. */
const maximumMembers = 10_000;
const subscriptionKey = 'io.modelcontextprotocol/subscriptionId';

function readFilter(envelope: Envelope): Filter {
	const none: Filter = { valid: false, tooMany: false, lists: new Set(), topics: [] };
	const { text, start, end } = envelope.params;
	const scanned = scanJson(
		Buffer.from(text.subarray(start, end)),
		{
			notifications: { resourceSubscriptions: { '[]': {} }, taskIds: { '[]': {} } },
		},
		maximumMembers,
	);
	if (isScanFault(scanned)) return { ...none, tooMany: scanned.fault === 'members' };
	const wanted = scanned.members?.find((member) => member.key === 'notifications');
	if (wanted === undefined || scanned.text[wanted.start] !== 0x7b) return none;
	const lists = new Set<string>();
	const topics: WantedTopic[] = [];
	for (const member of wanted.members ?? []) {
		if (scanned.text.toString('latin1', member.start, member.end) === 'true') lists.add(member.key);
		const kind = topicKinds.get(member.key);
		if (kind === undefined) continue;
		for (const exposed of stringsOf(member, scanned.text)) topics.push({ kind, exposed });
	}
	return { valid: true, tooMany: false, lists, topics };
}

const topicKinds: ReadonlyMap<string, Topic['kind']> = new Map([
	['resourceSubscriptions', 'resource'],
	['taskIds', 'task'],
]);

function stringsOf(list: Member, text: Buffer): Set<string> {
	const strings = new Set<string>();
	for (const { start, end } of list.members ?? [])
		if (text[start] === 0x22) strings.add(decodeString(text, start, end));
	return strings;
}

/** The lists whose changes are announced by what the backend says of itself. */
function announcedLists({ lease, version }: Pick<ListenRequest, 'lease' | 'version'>): string[] {
	const { upstreams, federation } = lease.connections;
	const { capabilities } = greet(upstreams, federation.naming, version);
	const declared = JSON.parse(capabilities.toString()) as Record<string, { listChanged?: unknown } | undefined>;
	return [...listChanges].filter(([, list]) => declared[list]?.listChanged === true).map(([key]) => key);
}

function paramOf(notice: Notice, key: string): string | null {
	if (notice.params === null) return null;
	const scanned = scanJson(notice.params, {});
	if (isScanFault(scanned)) return null;
	const member = scanned.members?.find((one) => one.key === key);
	return member !== undefined && scanned.text[member.start] === 0x22
		? decodeString(scanned.text, member.start, member.end)
		: null;
}

/** Names the subscription in a notification's params. */
function withSubscription(params: Buffer | null, id: Buffer): Buffer {
	const tag = `"${subscriptionKey}":${id.toString()}`;
	if (params === null) return Buffer.from(`{"_meta":{${tag}}}`);
	const scanned = scanJson(params, { _meta: {} });
	if (isScanFault(scanned) || scanned.members === null) return Buffer.from(`{"_meta":{${tag}}}`);
	const meta = scanned.members.find((member) => member.key === '_meta' && member.members !== null);
	const at = (meta?.start ?? scanned.start) + 1;
	const alone = (meta?.members ?? scanned.members).length === 0;
	const text = meta === undefined ? `"_meta":{${tag}}` : tag;
	return splice(scanned.text, [{ start: at, end: at, text: alone ? text : `${text},` }], scanned.start, scanned.end);
}
