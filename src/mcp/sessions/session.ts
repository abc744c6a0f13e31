import { Dictionary } from '../../lib/dictionary.ts';
import type { Beating } from '../../lib/heartbeat.ts';
import { ClientAsks } from '../asks/client-asks.ts';
import type { Connections, Listener } from '../connections/connections.ts';
import type { Ask, Caller, Notice } from '../model.ts';
import { noticeText } from '../rpc-text.ts';

/** Where a session's messages go that belong to no call: the stream of a GET, or the one channel of a stdio client. */
export interface SessionStream {
	send(message: Buffer): void;
	end(): void;
}

/** A call of the client that is under way. */
export interface SessionCall {
	cancel(reason?: string): void;
	/** Whether the client has left it, and has not come back for the answer yet. */
	readonly deserted: boolean;
	/** Sends a message on the call's own stream. */
	send(message: Buffer): void;
	/** Ends it with the error that says that the gateway stops. */
	stop(): void;
}

/** Looks at sessions once a second. */
export interface SessionKeeper {
	look(session: Session, now: number): void;
}

/** A client's session: its connections, its open calls, its stream for what belongs to no call. */
export class Session implements Listener, Beating {
	slot = -1;
	/** null: nobody looks after it, whoever opened it ends it. */
	keeper: SessionKeeper | null = null;
	readonly protocolVersion: string;
	readonly connections: Connections;
	/** Open calls by the client's request id (JSON text), for `notifications/cancelled`. */
	readonly calls = new Dictionary<SessionCall>();
	/** Questions of servers that the client has not answered yet. */
	readonly asks = new ClientAsks();
	/** Who calls; changes with the log level. */
	caller: Caller;
	/** Empty for one that has none, yet or at all. */
	id = '';
	/** Whether another start of the gateway could go on with it, from its id alone. */
	resumable = false;
	lastUsed = performance.now();
	/** When the client closed its stream; null while it has one, and for clients that never opened any. */
	leftAt: number | null = null;
	/** Tools whose results this client gets wrapped; the client's codec writes and reads it; null for none. */
	wrappedTools: Set<string> | null = null;
	private stream: SessionStream | null = null;
	private missed: Missed[] | null = null;
	private missedBytes = 0;

	constructor(protocolVersion: string, caller: Caller, connections: Connections) {
		this.protocolVersion = protocolVersion;
		this.caller = caller;
		this.connections = connections;
		connections.listen(this);
	}

	beat(now: number): void {
		this.keeper?.look(this, now);
	}

	/** Notifications go to the stream that was opened last; without one, the newest hundred of at most 1 MiB wait for it. */
	note(notice: Notice): void {
		if (this.stream !== null) return this.stream.send(noticeText(notice.method, notice.params));
		const bare = notice.params === null ? notice.method : null;
		if (bare !== null && this.missed?.some((other) => other.bare === bare)) return;
		this.miss({ bare, message: noticeText(notice.method, notice.params) });
	}

	/** A question outside any call. Without a stream, any call's own will do: the answer finds its way by the id. */
	ask(ask: Ask): void {
		this.asks.put(ask, (message) => {
			const call = this.stream ?? this.calls.all().at(-1);
			if (call !== undefined) call.send(message);
			else this.miss({ bare: null, message });
		});
	}

	/** A question in the middle of a call goes on the call's own channel. */
	askOn(channel: { send(message: Buffer): unknown }, ask: Ask): void {
		this.asks.put(ask, (message) => channel.send(message));
	}

	attach(stream: SessionStream): void {
		this.stream?.end();
		this.stream = stream;
		this.leftAt = null;
		const { missed } = this;
		this.missed = null;
		this.missedBytes = 0;
		for (const one of missed ?? []) {
			// The stream may end of it, when its client does not read; what is left waits for the next.
			if (this.stream === stream) stream.send(one.message);
			else this.miss(one);
		}
	}

	detach(stream: SessionStream): void {
		if (this.stream !== stream) return;
		this.stream = null;
		this.leftAt = performance.now();
	}

	/** Whether child processes run for it. */
	get holdsProcesses(): boolean {
		return this.connections.upstreams.legs.some(({ upstream }) => upstream !== null && upstream.pid !== null);
	}

	/** Whether the client waits for a call or listens; a session in use does not grow old. */
	get busy(): boolean {
		return this.stream !== null || (this.calls.size > 0 && this.calls.all().some(({ deserted }) => !deserted));
	}

	/** The gateway waits no longer for what is under way. */
	stopCalls(): void {
		for (const call of this.calls.all()) call.stop();
	}

	endStream(): void {
		this.stream?.end();
		this.stream = null;
	}

	/** With `keepUpstream` the sessions at servers stay, for who goes on with them. */
	async close(keepUpstream = false): Promise<void> {
		this.endStream();
		this.asks.close();
		try {
			for (const call of this.calls.all()) call.cancel('the session has ended');
		} finally {
			await this.connections.close(keepUpstream);
		}
	}

	private miss(missed: Missed): void {
		const waiting = (this.missed ??= []);
		waiting.push(missed);
		this.missedBytes += missed.message.length;
		while (waiting.length > 1 && (waiting.length > maximumMissed || this.missedBytes > maximumMissedBytes))
			this.missedBytes -= waiting.shift()?.message.length ?? 0;
	}
}

/** A message that waits for a stream. */
interface Missed {
	/** The method of a notification without params, which need not be told twice. */
	readonly bare: string | null;
	readonly message: Buffer;
}

const maximumMissed = 100;
const maximumMissedBytes = 1024 * 1024;
