import type { McpError, Topic } from '../model.ts';

/** Hears of topics at servers that report them on a stream of its own; null where each is subscribed by a request. */
export interface TopicStream {
	watch(topic: Topic, done: (refusal: McpError | null) => void): void;
	unwatch(topic: Topic): void;
}
