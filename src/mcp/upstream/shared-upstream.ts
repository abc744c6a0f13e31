import { decodeString, isScanFault, scanJson } from '../../lib/json-scan.ts';
import { awayError } from '../errors.ts';
import { FanOut } from '../fan-out.ts';
import { askingMethods, Lanes } from '../legs/lanes.ts';
import type {
	Ask,
	Call,
	Caller,
	ClientNotice,
	Failure,
	JsonText,
	McpError,
	Notice,
	ServerFacts,
	Sink,
	Target,
	Ticket,
	Topic,
	Upstream,
} from '../model.ts';
import { mostVerbose } from './log-level.ts';
import type { Share, SharedConnection } from './share.ts';
import { SharedCall, type SharedCallOwner, type SharedCallUser } from './shared-call.ts';
import { SharedTopics, type TopicSource } from './shared-topics.ts';
import { SignOfLife, type Suspect } from './sign-of-life.ts';

export interface SharedOptions {
	/** What opens the connection. */
	readonly target: Target;
	/** For whom it is opened: those who join later look the same to the server. */
	readonly caller: Caller;
	/** Milliseconds without a call after which the connection is closed until the next one; null: never. */
	readonly idleTimeout: number | null;
	/** The first connection stands; shares hear of it afterwards. */
	ready(shared: SharedUpstream, server: ServerFacts): void;
	/** It stands again after it had been closed. */
	again(server: ServerFacts): void;
	/** Nobody can join any more. */
	over(shared: SharedUpstream): void;
}

/** One connection with any number of users. While nobody calls it may be closed; the next call opens it again. */
export class SharedUpstream implements SharedConnection, SharedCallOwner, TopicSource, Suspect {
	readonly topics: SharedTopics;
	readonly shares = new Set<Share>();
	/** Whether others may join: from then on, what belongs to one must be told apart. */
	open: boolean;
	private readonly options: SharedOptions;
	private state: 'starting' | 'ready' | 'asleep' | 'over' = 'starting';
	private upstream: Upstream | null = null;
	private server: ServerFacts | null = null;
	private failure: Failure | null = null;
	private calls = 0;
	private readonly waiting: SharedCall[] = [];
	/** What is to be subscribed as soon as the connection stands again. */
	private readonly early: { readonly topic: Topic; readonly done: (refusal: McpError | null) => void }[] = [];
	/** When it stood again after it had been closed, on the monotonic clock; what was said before was not heard. */
	private awakeSince = 0;
	private readonly ending = new Set<Promise<void>>();
	private idle: NodeJS.Timeout | null = null;
	private level: string | null = null;
	/** Made with the first notice. */
	private out: FanOut<Share> | null = null;
	private readonly lanes: Lanes;
	/** null while one user has it for itself. */
	private life: SignOfLife | null = null;

	constructor(options: SharedOptions, open: boolean) {
		this.options = options;
		this.open = open;
		this.topics = new SharedTopics(this);
		this.lanes = new Lanes(options.target, options.caller, unwatched, { left: 0, share: 0 });
	}

	get caller(): Caller {
		return this.options.caller;
	}

	get served(): boolean {
		return this.upstream?.served === true;
	}

	get hearsSince(): number | null {
		const since = this.upstream?.hearsSince ?? null;
		return since === null ? null : Math.max(since, this.awakeSince);
	}

	get pid(): number | null {
		return this.upstream?.pid ?? null;
	}

	begin(): void {
		this.state = 'starting';
		const upstream = this.options.target.open(
			this.options.caller,
			{
				ready: (server) => {
					if (this.upstream === upstream) this.ready(upstream, server);
				},
				failed: (failure) => {
					if (this.upstream === upstream) this.failed(failure);
				},
				note: (notice) => {
					if (this.upstream === upstream) this.noted(notice);
				},
				ask: (ask) => this.asked(upstream, ask),
			},
			null,
		);
		this.upstream = upstream;
	}

	join(share: Share): void {
		this.shares.add(share);
		share.join(this);
		const { server } = this;
		if (server === null) return;
		// Whoever opens must have the share in hand before the first event comes.
		setImmediate(() => {
			if (this.state !== 'over' && this.shares.has(share)) share.ready(server, true);
		});
	}

	get busyUncounted(): boolean {
		return !this.open && this.upstream?.busy === true;
	}

	/** The last one to leave closes the connection. */
	async leave(share: Share): Promise<void> {
		if (!this.shares.delete(share)) return;
		share.calls.each((call) => {
			if (this.failure === null) call.cancel('the connection was closed');
			else call.fail(awayError(this.options.target.name, this.failure, ''));
		});
		this.topics.left(share);
		this.levelChanged();
		if (this.shares.size === 0) await this.close();
	}

	start(share: Share, call: Call, sink: Sink): Ticket {
		// One user, and nobody counts: the call goes straight through.
		if (!this.open && this.options.idleTimeout === null && this.upstream !== null)
			return this.upstream.start(call, sink);
		const shared = new SharedCall(this, share, call, sink);
		if (this.state === 'over') {
			sink.fail(this.unavailable());
			return shared;
		}
		this.calls++;
		share.calls.add(shared);
		this.awake();
		if (this.state === 'asleep') this.begin();
		if (this.state === 'ready' && this.upstream !== null) this.run(this.upstream, shared);
		else this.waiting.push(shared);
		return shared;
	}

	ended(call: SharedCall): void {
		call.share.calls.remove(call);
		const at = this.waiting.indexOf(call);
		if (at >= 0) this.waiting.splice(at, 1);
		this.calls--;
		this.rest();
	}

	/**
	 * Where a server without a handshake serves strangers, what it logs is for who calls, and for nobody where that is not
	 * clear. Who shares a server with a handshake hears what the others hear: the operator wrote it so.
	 */
	logged(notice: Notice, sink: Sink, share: SharedCallUser): void {
		if (this.server?.handshake === true) {
			if (this.shares.size > 1) this.broadcast(notice);
			else sink.note(notice);
		} else if (share.calls.size === this.calls) sink.note(notice);
	}

	notify(notice: ClientNotice): void {
		this.upstream?.notify(notice);
	}

	/** Servers know one level for a connection: that of whoever wants most. */
	levelChanged(): void {
		const level = mostVerbose([...this.shares].map((share) => share.level));
		if (level === this.level || level === null) return;
		this.level = level;
		if (this.state === 'ready') this.upstream?.setLevel(level);
	}

	watch(topic: Topic, done: (refusal: McpError | null) => void): void {
		this.awake();
		if (this.state === 'asleep') this.begin();
		const told = (refusal: McpError | null) => {
			done(refusal);
			// What was refused keeps nothing open.
			if (refusal !== null) this.rest();
		};
		if (this.state === 'over' || this.upstream === null) return told(this.unavailable());
		if (this.state === 'ready') this.upstream.watch(topic, told);
		else this.early.push({ topic, done: told });
	}

	unwatch(topic: Topic): void {
		const at = this.early.findIndex((one) => one.topic.kind === topic.kind && one.topic.id === topic.id);
		if (at < 0) this.upstream?.unwatch(topic);
		else for (const { done } of this.early.splice(at, 1)) done(null);
		this.rest();
	}

	private ready(upstream: Upstream, server: ServerFacts): void {
		const before = this.server;
		this.server = server;
		this.state = 'ready';
		if (this.level !== null && before !== null) upstream.setLevel(this.level);
		if (before === null) this.options.ready(this, server);
		else this.again(upstream, server);
		// One that was asleep is the same as before, unless it says something else of itself.
		if (before?.capabilitiesText.equals(server.capabilitiesText) !== true)
			for (const share of [...this.shares]) share.ready(server);
		// Who moved on to another connection has closed this one.
		if (this.open && this.shares.size > 0) this.life ??= new SignOfLife(this.options.target.circuit, this);
		for (const { topic, done } of this.early.splice(0)) upstream.watch(topic, done);
		for (const call of this.waiting.splice(0)) this.run(upstream, call);
		this.rest();
	}

	/** It stands again, and the server knows nothing of what was said to the one before. */
	private again(upstream: Upstream, server: ServerFacts): void {
		this.options.target.circuit.succeeded();
		this.options.again(server);
		this.awakeSince = performance.now();
		for (const topic of this.topics.heard()) upstream.watch(topic, () => {});
	}

	private failed(failure: Failure): void {
		this.state = 'over';
		this.failure = failure;
		this.settle();
		// It has failed once, however many hear of it.
		let told = failure;
		for (const share of [...this.shares]) {
			share.failed(told);
			told = { ...failure, untried: true };
		}
	}

	heard(): void {
		this.life?.heard();
	}

	ping(): void {
		if (this.state === 'ready') this.upstream?.ping?.();
	}

	/** Its users go on with another process. */
	hangs(): void {
		if (this.state === 'ready') this.failed(hung);
	}

	private run(upstream: Upstream, call: SharedCall): void {
		if (call.gone) return;
		const { caller, method } = call.call;
		// What a server asks in the middle of a call says nothing of the call that it means.
		const alone = this.open && caller.interactive && this.server?.handshake === true && askingMethods.has(method);
		call.sent(alone ? this.lanes.start(upstream, call.call, call) : upstream.start(call.call, call));
	}

	private asked(upstream: Upstream, ask: Ask): void {
		this.heard();
		if (this.open) return this.lanes.hold(upstream, ask);
		for (const share of this.shares) return share.events.ask(ask);
	}

	private noted(notice: Notice): void {
		this.heard();
		const nobodys = notice.method === 'notifications/message' && this.server?.handshake === false && this.open;
		if (nobodys) return;
		if (this.open && notice.method === 'notifications/resources/updated') this.updated(notice);
		else this.broadcast(notice);
	}

	/** The name of a resource may say much; whoever has not subscribed to it does not hear it. */
	private updated(notice: Notice): void {
		const uri = uriIn(notice.params);
		const users = uri === null ? null : this.topics.usersOf(uri);
		for (const share of this.shares) if (users?.has(share) === true) share.events.note(notice);
	}

	private broadcast(notice: Notice): void {
		this.out ??= new FanOut(this.shares, (share, told) => share.events.note(told));
		this.out.send(notice);
	}

	/** Nobody calls: the time runs after which the connection is closed. What is subscribed keeps it open. */
	private rest(): void {
		const { idleTimeout } = this.options;
		this.awake();
		if (idleTimeout === null || !this.idles) return;
		this.idle = setTimeout(() => this.sleep(), idleTimeout).unref();
	}

	private get idles(): boolean {
		return this.state === 'ready' && this.calls === 0 && this.topics.size === 0;
	}

	private awake(): void {
		if (this.idle !== null) clearTimeout(this.idle);
		this.idle = null;
	}

	private sleep(): void {
		const { upstream } = this;
		this.idle = null;
		if (!this.idles) return;
		this.heard();
		this.state = 'asleep';
		this.upstream = null;
		if (upstream === null) return;
		const ending = upstream.close().finally(() => this.ending.delete(ending));
		this.ending.add(ending);
	}

	private async close(): Promise<void> {
		this.state = 'over';
		this.settle();
		await Promise.all([this.lanes.close(), this.upstream?.close(), ...this.ending]);
	}

	private settle(): void {
		this.awake();
		this.life?.end();
		this.options.over(this);
		for (const call of [...this.waiting]) call.fail(this.unavailable());
		for (const { done } of this.early.splice(0)) done(this.unavailable());
	}

	private unavailable(): McpError {
		return awayError(this.options.target.name, this.failure, 'the connection was closed');
	}
}

function uriIn(params: JsonText | null): string | null {
	const scanned = params === null ? null : scanJson(params, {});
	if (scanned === null || isScanFault(scanned)) return null;
	const member = scanned.members?.find(({ key }) => key === 'uri');
	if (member === undefined || scanned.text[member.start] !== 0x22) return null;
	return decodeString(scanned.text, member.start, member.end);
}

const hung: Failure = {
	reason: 'it answered neither calls nor a ping',
	remedy: '',
	exitCode: null,
	signal: null,
	stderr: [],
};
const unwatched = { starting() {}, ready() {}, failed() {}, closed() {} };
