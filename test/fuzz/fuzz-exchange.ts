import type { Facts } from '../../src/facts/facts.ts';
import { HeldBytes } from '../../src/http/held-bytes.ts';
import type { Exchange, Refusal, ReplyStream } from '../../src/http/exchange.ts';
import type { ClientMessage } from './client-grammar.ts';

/** An exchange in memory that takes note of how it was answered. */
export class FuzzExchange implements Exchange {
	readonly method: string;
	readonly path = '/mcp';
	readonly query = '';
	readonly host = 'localhost:3000';
	readonly headers: Readonly<Record<string, string>>;
	readonly overLoopback = true;
	readonly facts: Facts;
	expiring: Exchange['expiring'] = null;
	readonly sent: Buffer;
	status = 0;
	replyHeaders: readonly string[] = [];
	/** Nobody reads any more, or everything has been said. */
	closed = false;
	/** The reply is whole. */
	ended = false;
	/** How it was answered against the rules. */
	fault: string | null = null;
	private readonly chunks: (Buffer | string)[] = [];
	private readonly whenGone: (() => void)[] = [];

	constructor({ method, headers, body }: ClientMessage) {
		this.method = method;
		this.headers = headers;
		this.sent = body;
		this.facts = {
			...{ bind: 'bind/3000', sourceAddress: '127.0.0.1:5000', method, host: this.host, path: this.path },
			...{ httpVersion: 'HTTP/1.1', startedAt: 0 },
		};
	}

	body(limit: number, done: (body: Buffer | Refusal) => void): void {
		const { sent } = this;
		// The scanner may write into what it reads; what was sent is looked at again later.
		done(
			sent.length > limit ? { refused: true, status: 413, message: '', reason: 'InvalidRequest' } : Buffer.from(sent),
		);
	}

	respond(status: number, headers: readonly string[], body: Buffer | readonly Buffer[] | string | null): void {
		this.head(status, headers);
		if (Array.isArray(body)) this.chunks.push(...(body as readonly Buffer[]));
		else if (body !== null) this.chunks.push(body as Buffer | string);
		this.finish();
	}

	stream(status: number, headers: readonly string[]): ReplyStream {
		this.head(status, headers);
		return {
			write: (chunk) => {
				if (this.ended) this.fault ??= 'written after its end';
				else this.chunks.push(chunk);
				return true;
			},
			end: () => this.finish(),
			onDrain() {},
			buffered: 0,
		};
	}

	hold(bytes: number): HeldBytes {
		return new HeldBytes(null, bytes);
	}

	keepBody(): HeldBytes {
		return this.hold(0);
	}

	onGone(gone: () => void): void {
		if (!this.closed) this.whenGone.push(gone);
		else if (!this.ended) gone();
	}

	/** The client goes away. */
	leave(): void {
		if (this.closed) return;
		this.closed = true;
		for (const gone of this.whenGone.splice(0)) gone();
	}

	/** What came so far. */
	text(): string {
		return this.chunks.map((chunk) => chunk.toString()).join('');
	}

	header(name: string): string | null {
		const at = this.replyHeaders.indexOf(name);
		return at < 0 ? null : (this.replyHeaders[at + 1] ?? null);
	}

	private head(status: number, headers: readonly string[]): void {
		if (this.status !== 0) this.fault ??= 'answered twice';
		this.status = status;
		this.replyHeaders = headers;
	}

	private finish(): void {
		if (this.ended) return;
		this.ended = true;
		this.closed = true;
		this.whenGone.length = 0;
	}
}
