import { code, mcpError } from './errors.ts';
import type { McpError, Topic } from './model.ts';
import type { Leg } from './legs/leg.ts';
import type { Upstreams } from './legs/upstreams.ts';

/** Who follows a topic; compared by identity. */
export type Follower = object;

/** A server that does not say within this time whether it takes a subscription is taken to have refused. */
const answerMs = 10_000;

/**
 * Which resources and tasks are followed over one set of connections, and by whom: the server hears of a topic when
 * its first follower comes and when its last one goes.
 */
export class Subscriptions {
	private readonly upstreams: Upstreams;
	private followed: Map<string, Followed> | null = null;
	/** Characters of the names that are followed. */
	private held = 0;
	private readonly shares = new Map<Follower, Share>();

	constructor(upstreams: Upstreams) {
		this.upstreams = upstreams;
	}

	/** `done` gets the refusal, or null once the server reports the topic. */
	add(follower: Follower, target: string, topic: Topic, done: (refusal: McpError | null) => void): void {
		const key = keyOf(target, topic);
		this.followed ??= new Map();
		const known = this.followed.get(key);
		if (!this.mayFollow(follower, topic, known))
			return done(mcpError(code.invalidParams, 'too many subscriptions, or too long a name'));
		if (known !== undefined) {
			this.join(follower, known);
			if (known.waiting === null) done(null);
			else known.waiting.push(done);
			return;
		}
		const followed: Followed = { target, topic, followers: new Set(), waiting: [done] };
		this.followed.set(key, followed);
		this.held += topic.id.length;
		this.join(follower, followed);
		const leg = this.upstreams.leg(target);
		if (leg === undefined)
			return this.settle(key, followed, mcpError(code.invalidParams, `Unknown resource: ${topic.id}`));
		leg.whenKnown(() => this.watch(key, followed, leg));
	}

	remove(follower: Follower, target: string, topic: Topic): void {
		const key = keyOf(target, topic);
		const followed = this.followed?.get(key);
		if (followed?.followers.delete(follower) !== true) return;
		this.leave(follower, topic);
		if (followed.followers.size > 0) return;
		this.forget(key, followed);
		this.upstreams.leg(target)?.upstream?.unwatch(topic);
	}

	/** A follower has gone. */
	removeAll(follower: Follower): void {
		for (const { target, topic } of [...(this.followed?.values() ?? [])]) this.remove(follower, target, topic);
	}

	/** A target has a new connection, which knows of no topics yet. */
	restore(leg: Leg): void {
		for (const { target, topic, waiting } of this.followed?.values() ?? []) {
			if (target === leg.target.name && waiting === null) leg.upstream?.watch(topic, () => {});
		}
	}

	private watch(key: string, followed: Followed, leg: Leg): void {
		const name = leg.target.name;
		// Whoever followed has left before the server was there.
		if (this.followed?.get(key) !== followed) return this.settle(key, followed, null);
		if (leg.upstream === null || leg.state !== 'ready') {
			return this.settle(key, followed, mcpError(code.internal, `target "${name}" is not available`, name));
		}
		const timer = setTimeout(
			() => this.settle(key, followed, mcpError(code.internal, `target "${name}" did not answer a subscription`, name)),
			answerMs,
		);
		leg.upstream.watch(followed.topic, (refusal) => {
			clearTimeout(timer);
			this.settle(key, followed, refusal);
			// Nobody follows any more, and what was sent to end it may have overtaken the beginning.
			if (refusal === null && !this.followed?.has(key)) leg.upstream?.unwatch(followed.topic);
		});
	}

	private settle(key: string, followed: Followed, refusal: McpError | null): void {
		const { waiting } = followed;
		followed.waiting = null;
		if (refusal !== null && this.followed?.get(key) === followed) this.forget(key, followed);
		for (const done of waiting ?? []) done(refusal);
	}

	private mayFollow(follower: Follower, { id }: Topic, known: Followed | undefined): boolean {
		if (known?.followers.has(follower) === true) return true;
		const { topics, held } = this.shares.get(follower) ?? { topics: 0, held: 0 };
		if (topics >= maximumTopics || id.length > maximumIdLength || held + id.length > maximumHeld) return false;
		const all = known !== undefined ? 0 : (this.followed?.size ?? 0);
		return all < manyFollowers * maximumTopics && this.held + id.length <= manyFollowers * maximumHeld;
	}

	private join(follower: Follower, { followers, topic }: Followed): void {
		if (followers.has(follower)) return;
		followers.add(follower);
		const share = this.shares.get(follower) ?? { topics: 0, held: 0 };
		share.topics++;
		share.held += topic.id.length;
		this.shares.set(follower, share);
	}

	private leave(follower: Follower, topic: Topic): void {
		const share = this.shares.get(follower);
		if (share === undefined) return;
		share.topics--;
		share.held -= topic.id.length;
		if (share.topics <= 0) this.shares.delete(follower);
	}

	private forget(key: string, { topic, followers }: Followed): void {
		for (const follower of followers) this.leave(follower, topic);
		if (this.followed?.delete(key) === true) this.held -= topic.id.length;
	}
}

/** One follower follows no more topics, nor longer names, nor more characters of names in all. */
const maximumTopics = 1000;
const maximumIdLength = 8192;
const maximumHeld = 256 * 1024;
/** Over one set of connections so many times as much is followed: strangers share it, and none may take all. */
const manyFollowers = 10;

/** What one follower takes of the limits. */
interface Share {
	topics: number;
	held: number;
}

interface Followed {
	readonly target: string;
	readonly topic: Topic;
	readonly followers: Set<Follower>;
	/** Who waits for the server's word; null once it has spoken. */
	waiting: ((refusal: McpError | null) => void)[] | null;
}

function keyOf(target: string, { kind, id }: Topic): string {
	return `${target} ${kind} ${id}`;
}
