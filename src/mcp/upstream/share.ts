import { SlotList } from '../../lib/slot-list.ts';
import type {
	Call,
	Caller,
	ClientNotice,
	Failure,
	McpError,
	ServerFacts,
	Sink,
	Ticket,
	Topic,
	Upstream,
	UpstreamEvents,
} from '../model.ts';
import type { SharedCall } from './shared-call.ts';
import type { SharedTopics } from './shared-topics.ts';

/** What shares are parts of. */
export interface SharedConnection {
	readonly pid: number | null;
	readonly hearsSince: number | null;
	/** Whether the server has answered a call. */
	readonly served: boolean;
	readonly topics: SharedTopics;
	/** Whether calls are under way that went straight through. */
	readonly busyUncounted: boolean;
	start(share: Share, call: Call, sink: Sink): Ticket;
	notify(notice: ClientNotice): void;
	/** A share wants another level. */
	levelChanged(): void;
	leave(share: Share): Promise<void>;
}

/** One user's part of a connection that several may use. To its user it is a connection like any other. */
export class Share implements Upstream {
	readonly caller: Caller;
	readonly events: UpstreamEvents;
	/** Calls of this user that are under way. */
	readonly calls = new SlotList<SharedCall>();
	/** What the server is to log at least for this user; null: never said. */
	level: string | null = null;
	/** stdio keeps nothing that another connection could go on with. */
	readonly resumption = null;
	private shared: SharedConnection | null = null;
	private over = false;

	constructor(caller: Caller, events: UpstreamEvents) {
		this.caller = caller;
		this.events = events;
	}

	get served(): boolean {
		return this.shared?.served === true;
	}

	get hearsSince(): number | null {
		return this.shared?.hearsSince ?? null;
	}

	get pid(): number | null {
		return this.shared?.pid ?? null;
	}

	get busy(): boolean {
		return this.calls.size > 0 || this.shared?.busyUncounted === true;
	}

	/** It is part of another connection from now on. */
	join(shared: SharedConnection): void {
		this.shared = shared;
	}

	/** As in `UpstreamEvents`. */
	ready(server: ServerFacts, kept = false): void {
		if (!this.over) this.events.ready(server, kept);
	}

	failed(failure: Failure): void {
		if (this.over) return;
		this.over = true;
		this.events.failed(failure);
	}

	start(call: Call, sink: Sink): Ticket {
		return this.connection.start(this, call, sink);
	}

	notify(notice: ClientNotice): void {
		this.connection.notify(notice);
	}

	setLevel(level: string): void {
		this.level = level;
		this.connection.levelChanged();
	}

	watch(topic: Topic, done: (refusal: McpError | null) => void): void {
		this.connection.topics.watch(this, topic, done);
	}

	unwatch(topic: Topic): void {
		this.connection.topics.unwatch(this, topic);
	}

	async close(): Promise<void> {
		this.over = true;
		await this.connection.leave(this);
	}

	private get connection(): SharedConnection {
		if (this.shared === null) throw new Error('a share of nothing');
		return this.shared;
	}
}
