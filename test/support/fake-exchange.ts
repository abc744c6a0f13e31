import type { Facts } from '../../src/facts/facts.ts';
import { HeldBytes } from '../../src/http/held-bytes.ts';
import type { Exchange, Expiring, Refusal, ReplyStream } from '../../src/http/exchange.ts';

/** An exchange without a socket, for unit tests of backends. */
export class FakeExchange implements Exchange {
	readonly method: string;
	readonly path = '/mcp';
	readonly query = '';
	readonly host = 'localhost:3000';
	readonly headers: Record<string, string>;
	readonly overLoopback = true;
	readonly facts: Facts;
	private readonly text: string;
	expiring: Expiring | null = null;
	status = 0;
	replyHeaders: Record<string, string> = {};
	written = '';
	ended = false;
	closed = false;
	goneCallbacks: (() => void)[] = [];
	/** Bytes that the client has not taken. */
	buffered = 0;
	private readonly endCallbacks: (() => void)[] = [];

	constructor(method: string, headers: Record<string, string>, body: unknown) {
		this.method = method;
		this.headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers };
		this.text = typeof body === 'string' ? body : JSON.stringify(body);
		this.facts = {
			bind: 'bind/3000',
			sourceAddress: '127.0.0.1',
			method,
			host: this.host,
			path: this.path,
			httpVersion: 'HTTP/1.1',
			startedAt: 0,
		};
	}

	body(limit: number, done: (body: Buffer | Refusal) => void): void {
		const bytes = Buffer.from(this.text);
		done(bytes.length > limit ? { refused: true, status: 413, message: 'too large', reason: 'InvalidRequest' } : bytes);
	}

	respond(status: number, headers: readonly string[], body: Buffer | readonly Buffer[] | string | null): void {
		if (this.status !== 0) throw new Error('answered twice');
		this.head(status, headers);
		this.written = Array.isArray(body) ? Buffer.concat(body as readonly Buffer[]).toString() : String(body ?? '');
		this.finish();
	}

	stream(status: number, headers: readonly string[]): ReplyStream {
		if (this.status !== 0) throw new Error('answered twice');
		this.head(status, headers);
		const buffered = () => this.buffered;
		return {
			write: (chunk) => {
				if (!this.ended) this.written += chunk.toString();
				return true;
			},
			end: () => this.finish(),
			onDrain() {},
			get buffered() {
				return buffered();
			},
		};
	}

	hold(bytes: number): HeldBytes {
		return new HeldBytes(null, bytes);
	}

	keepBody(): HeldBytes {
		return this.hold(0);
	}

	onGone(gone: () => void): void {
		this.goneCallbacks.push(gone);
	}

	/** Resolves when the reply has ended. */
	whole(): Promise<this> {
		return new Promise((resolve) => {
			if (this.ended) resolve(this);
			else this.endCallbacks.push(() => resolve(this));
		});
	}

	/** The client goes away. */
	leave(): void {
		this.closed = true;
		for (const gone of this.goneCallbacks.splice(0)) gone();
	}

	/** The events of the reply, an empty one included. */
	events(): { id?: string; retry?: string; data?: string }[] {
		const events = this.written.split('\n\n').filter((event) => event !== '' && !event.startsWith(':'));
		return events.map((event) => Object.fromEntries(event.split('\n').map((line) => line.split(/: ?(.*)/s, 2))));
	}

	/** The messages of the reply, from JSON or from an event stream. */
	messages(): Record<string, unknown>[] {
		if (!(this.replyHeaders['content-type'] ?? '').includes('event-stream')) return [JSON.parse(this.written)];
		return this.written
			.split('\n')
			.filter((line) => line.startsWith('data: '))
			.map((line) => JSON.parse(line.slice(6)));
	}

	private head(status: number, headers: readonly string[]): void {
		this.status = status;
		for (let i = 0; i < headers.length; i += 2) this.replyHeaders[headers[i] ?? ''] = headers[i + 1] ?? '';
	}

	private finish(): void {
		this.ended = true;
		for (const end of this.endCallbacks) end();
	}
}
