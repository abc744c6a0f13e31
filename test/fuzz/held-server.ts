import type { Ticket } from '../../src/mcp/model.ts';
import { createTarget } from '../../src/mcp/upstream/target.ts';
import type { TargetOptions } from '../../src/mcp/upstream/target-options.ts';
import { Inbox } from '../../src/mcp/upstream/transport/inbox.ts';
import type { OutboundRequest, Receiver, Transport } from '../../src/mcp/upstream/transport/transport.ts';
import { rightAnswer } from './server-grammar.ts';

/** An MCP server in memory that greets as it should, and answers everything else when and with what a test says. */
export class HeldServer {
	readonly name: string;
	private readonly modern: boolean;
	private readonly inbox = new Inbox(() => {});
	/** Ids of requests without an answer, by method. */
	private readonly held = new Map<string, number>();

	constructor(name: string, modern: boolean) {
		this.name = name;
		this.modern = modern;
	}

	/** The target that the gateway knows it as. */
	target(more: Partial<TargetOptions> = {}): ReturnType<typeof createTarget> {
		return createTarget({
			name: this.name,
			overHttp: false,
			warn() {},
			onFault() {},
			openTransport: () => this.transport(),
			...more,
		});
	}

	/** Whether a request of this method waits. */
	waits(method: string): boolean {
		return this.held.has(method);
	}

	/** Gives the bytes of an answer, with what is written for `$id` made the id of the request that waits. */
	frame(method: string, text: string): Buffer {
		const id = this.held.get(method);
		if (id === undefined) throw new Error(`nobody asked for ${method}`);
		this.held.delete(method);
		return Buffer.from(text.replace('$id', String(id)));
	}

	/** Sends bytes, as the line of a child process. What is done with them at once is done when it returns. */
	send(message: Buffer): void {
		this.inbox.take(message);
	}

	private transport(): Transport {
		return {
			pid: 1,
			hearsSince: null,
			request: ({ id, message }: OutboundRequest, receiver: Receiver): Ticket => {
				const { method } = JSON.parse(message.toString()) as { method: string };
				this.inbox.add(id, receiver);
				if (method === 'initialize' || method === 'server/discover') {
					const answer = rightAnswer({ id, method, modern: this.modern });
					setImmediate(() => this.inbox.take(answer));
				} else this.held.set(method, id);
				return { cancel: () => this.inbox.delete(id) };
			},
			post: ({ settled }) => settled?.(),
			listen: (receiver) => this.inbox.listen(receiver),
			close: async () => {},
		};
	}
}
