import { LineSplitter } from '../../src/lib/line-splitter.ts';
import type { Ticket } from '../../src/mcp/model.ts';
import { Inbox } from '../../src/mcp/upstream/transport/inbox.ts';
import type { OutboundPost, OutboundRequest, Receiver, Transport } from '../../src/mcp/upstream/transport/transport.ts';
import { readSent, scriptFor, type ServerLog, type Waiting } from './server-log.ts';
import { type Asked, oddMessages, rightAnswer } from './server-grammar.ts';

/** Lines to and from a server in memory, sorted by the inbox that sorts those of a child process. */
export class MemoryPipe implements Transport {
	readonly pid = 1;
	readonly hearsSince = 0;
	private readonly log: ServerLog;
	private readonly modern: boolean;
	private readonly inbox = new Inbox(() => {});
	private readonly lines: LineSplitter;
	private closed = false;

	constructor(log: ServerLog, modern: boolean) {
		this.log = log;
		this.modern = modern;
		this.lines = new LineSplitter(16 * 1024 * 1024, (line) => this.inbox.take(line));
	}

	request({ id, message }: OutboundRequest, receiver: Receiver): Ticket {
		const { method } = this.read(message);
		this.inbox.add(id, receiver);
		const asked: Asked = { id, method: method ?? '', modern: this.modern };
		if (method === 'subscriptions/listen') this.acknowledge(id);
		else this.log.waiting.push(this.waiting(asked));
		return { cancel: () => this.inbox.delete(id) };
	}

	post({ message, settled }: OutboundPost): void {
		this.read(message);
		settled?.();
	}

	listen(receiver: Receiver): Ticket {
		return this.inbox.listen(receiver);
	}

	async close(): Promise<void> {
		this.closed = true;
	}

	private read(message: Buffer): { method?: string } {
		if (message.includes(0x0a)) this.log.faults.push(`a line break in ${JSON.stringify(message.toString())}`);
		return readSent(this.log, message);
	}

	private waiting(asked: Asked): Waiting {
		return {
			asked,
			right: () => this.write([rightAnswer(asked)]),
			odd: () => this.write(oddMessages(this.log.random, asked)),
			scripted: () => {
				const script = scriptFor(this.log, asked);
				if (script !== null) this.write(script);
				return script !== null;
			},
		};
	}

	private acknowledge(id: number): void {
		const meta = `"_meta":{"io.modelcontextprotocol/subscriptionId":${id}}`;
		const params = `{"notifications":{"toolsListChanged":true},${meta}}`;
		setImmediate(() =>
			this.write([
				Buffer.from(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":${params}}`),
			]),
		);
	}

	/** In chunks as pipes give them, which begin and end anywhere. */
	private write(messages: readonly Buffer[]): void {
		if (this.closed) return;
		const { random } = this.log;
		for (const message of messages) {
			this.log.sent++;
			const line = Buffer.concat([message, Buffer.from(random.once(10) ? '\r\n' : '\n')]);
			const cut = random.once(4) ? random.below(line.length) : line.length;
			this.lines.push(line.subarray(0, cut));
			if (cut < line.length) this.lines.push(line.subarray(cut));
		}
	}
}
