import type { Dispatcher } from 'undici';
import { StreamableHttpTransport } from '../../src/mcp/upstream/transport/streamable-http.ts';
import type { HttpRequest } from '../../src/mcp/upstream/transport/http-request.ts';
import type { HttpPool } from '../../src/mcp/upstream/transport/http-pool.ts';
import { PostGate } from '../../src/mcp/upstream/transport/post-gate.ts';
import { readSent, scriptFor, type ServerLog, type Waiting } from './server-log.ts';
import { mutate } from './mutate.ts';
import { type Asked, oddMessages, rightAnswer } from './server-grammar.ts';

type Headers = Record<string, string>;

const json: Headers = { 'content-type': 'application/json' };
const events: Headers = { 'content-type': 'text/event-stream' };

/** Replies over HTTP of a server in memory, to the transport that is used for real ones. */
export class MemoryHttp {
	private readonly log: ServerLog;
	private readonly modern: boolean;

	constructor(log: ServerLog, modern: boolean) {
		this.log = log;
		this.modern = modern;
	}

	transport(): StreamableHttpTransport {
		const pool = {
			send: (_path: string, request: HttpRequest, handler: Dispatcher.DispatchHandler) =>
				this.dispatch(request, handler),
			posts: new PostGate(),
		} as unknown as HttpPool;
		return new StreamableHttpTransport('http://127.0.0.1:1/mcp', pool);
	}

	private dispatch({ method, body }: HttpRequest, handler: Dispatcher.DispatchHandler): void {
		const reply = new MemoryReply(handler);
		if (method === 'DELETE') return setImmediate(() => reply.whole(200, {}, [])) as unknown as void;
		if (method === 'GET') return setImmediate(() => reply.whole(405, {}, [])) as unknown as void;
		const message = body as Buffer;
		const sent = readSent(this.log, message);
		if (sent.id === undefined || sent.method === undefined) {
			setImmediate(() => reply.whole(202, {}, []));
			return;
		}
		const asked: Asked = { id: Number(sent.id), method: sent.method, modern: this.modern };
		if (asked.method === 'subscriptions/listen') this.acknowledge(reply, asked.id);
		else this.log.waiting.push(this.waiting(asked, reply));
	}

	private waiting(asked: Asked, reply: MemoryReply): Waiting {
		const session: Headers = !this.modern && asked.method === 'initialize' ? { 'mcp-session-id': 'in-memory' } : {};
		return {
			asked,
			right: () => {
				if (!reply.over) this.log.sent++;
				reply.whole(200, { ...json, ...session }, [rightAnswer(asked)]);
			},
			odd: () => this.odd(reply, asked, session),
			scripted: () => {
				const script = scriptFor(this.log, asked);
				if (script !== null) reply.whole(200, json, script);
				return script !== null;
			},
		};
	}

	private odd(reply: MemoryReply, asked: Asked, session: Headers): void {
		const { random } = this.log;
		const messages = oddMessages(random, asked);
		this.log.sent += messages.length;
		const [first = Buffer.alloc(0)] = messages;
		switch (random.below(12)) {
			case 0:
				return reply.whole(random.pick([400, 401, 404, 429, 500, 503, 301]), json, [first]);
			case 1:
				return reply.whole(200, random.pick<Headers>([{}, { 'content-type': 'text/html' }]), [first]);
			case 2:
				return reply.broken(200, random.once(2) ? json : events, [first]);
			case 3:
				return reply.broken(0, {}, []);
			case 4:
				if (random.once(10)) return reply.whole(200, { ...json, 'content-encoding': 'gzip' }, [first]);
				return reply.whole(200, { ...json, 'content-encoding': 'compress' }, [first]);
			case 5:
			case 6:
				return reply.whole(200, { ...json, ...session }, [first]);
			default:
				return reply.whole(200, { ...events, ...session }, this.eventBytes([...messages, rightAnswer(asked)]));
		}
	}

	/** Events, now and then with changed bytes, in chunks that begin and end anywhere. */
	private eventBytes(messages: readonly Buffer[]): Buffer[] {
		const { random } = this.log;
		const id = random.once(100) ? 'id: 1\nretry: 100\n' : '';
		let text: Buffer = Buffer.concat(
			messages.map((one) => Buffer.from(`${id}data: ${one.toString('latin1')}\n\n`, 'latin1')),
		);
		if (random.once(4)) text = mutate(random, text, text);
		const cut = random.below(text.length + 1);
		return [text.subarray(0, cut), text.subarray(cut)];
	}

	private acknowledge(reply: MemoryReply, id: number): void {
		const meta = `"_meta":{"io.modelcontextprotocol/subscriptionId":${id}}`;
		const params = `{"notifications":{"toolsListChanged":true},${meta}}`;
		const text = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":${params}}`;
		setImmediate(() => reply.begin(200, events, [Buffer.from(`data: ${text}\n\n`)]));
	}
}

/** One reply, given to the handler as undici would. */
class MemoryReply {
	over = false;
	private readonly handler: Dispatcher.DispatchHandler;
	private readonly controller: Dispatcher.DispatchController;

	constructor(handler: Dispatcher.DispatchHandler) {
		this.handler = handler;
		this.controller = {
			aborted: false,
			paused: false,
			reason: null,
			pause() {},
			resume() {},
			abort: (reason: Error) => setImmediate(() => this.fail(reason)),
		} as unknown as Dispatcher.DispatchController;
		handler.onRequestStart?.(this.controller, null);
	}

	begin(status: number, headers: Headers, chunks: readonly Buffer[]): void {
		if (this.over) return;
		this.handler.onResponseStart?.(this.controller, status, headers);
		for (const chunk of chunks) if (!this.over) this.handler.onResponseData?.(this.controller, chunk);
	}

	whole(status: number, headers: Headers, chunks: readonly Buffer[]): void {
		if (this.over) return;
		this.begin(status, headers, chunks);
		if (this.over) return;
		this.over = true;
		this.handler.onResponseEnd?.(this.controller, {});
	}

	broken(status: number, headers: Headers, chunks: readonly Buffer[]): void {
		if (this.over) return;
		if (status !== 0) this.begin(status, headers, chunks);
		this.fail(new Error('other side closed'));
	}

	private fail(error: Error): void {
		if (this.over) return;
		this.over = true;
		this.handler.onResponseError?.(this.controller, error);
	}
}
