import { isWithin } from '../is-within.ts';
import type { McpError, Topic } from '../model.ts';

/** A connection that reports on topics. */
export interface TopicSource {
	watch(topic: Topic, done: (refusal: McpError | null) => void): void;
	unwatch(topic: Topic): void;
}

interface Watched {
	readonly topic: Topic;
	readonly users: Set<object>;
	/** Who waits for the server's word; null once it has been given. */
	waiting: ((refusal: McpError | null) => void)[] | null;
}

/** What the users of one connection want to hear of: each thing is subscribed once, for as long as anybody wants it. */
export class SharedTopics {
	private readonly source: TopicSource;
	private readonly watched = new Map<string, Watched>();

	constructor(source: TopicSource) {
		this.source = source;
	}

	get size(): number {
		return this.watched.size;
	}

	watch(user: object, topic: Topic, done: (refusal: McpError | null) => void): void {
		const key = keyOf(topic);
		const known = this.watched.get(key);
		if (known !== undefined) {
			known.users.add(user);
			if (known.waiting === null) done(null);
			else known.waiting.push(done);
			return;
		}
		const made: Watched = { topic, users: new Set([user]), waiting: [done] };
		this.watched.set(key, made);
		this.source.watch(topic, (refusal) => {
			const waiting = made.waiting ?? [];
			made.waiting = null;
			if (refusal !== null && this.watched.get(key) === made) this.watched.delete(key);
			for (const one of waiting) one(refusal);
		});
	}

	unwatch(user: object, topic: Topic): void {
		const watched = this.watched.get(keyOf(topic));
		if (watched !== undefined) this.drop(watched, user);
	}

	/** What the server has taken. */
	heard(): Topic[] {
		return [...this.watched.values()].filter(({ waiting }) => waiting === null).map(({ topic }) => topic);
	}

	/** Who wants to hear of a resource. */
	usersOf(uri: string): Set<object> {
		const users = new Set<object>();
		for (const { topic, users: wanting } of this.watched.values())
			if (topic.kind === 'resource' && isWithin(uri, topic.id)) for (const one of wanting) users.add(one);
		return users;
	}

	/** A user has left: nothing is wanted for it any more. */
	left(user: object): void {
		for (const watched of this.watched.values()) this.drop(watched, user);
	}

	private drop(watched: Watched, user: object): void {
		if (!watched.users.delete(user) || watched.users.size > 0) return;
		this.watched.delete(keyOf(watched.topic));
		this.source.unwatch(watched.topic);
	}
}

function keyOf({ kind, id }: Topic): string {
	return `${kind} ${id}`;
}
