import { IncomingMessage } from 'node:http';
import type { RequestMemory } from './request-memory.ts';

/** Who takes the body of a request. */
export interface BodyTaker {
	take(chunk: Buffer): void;
	finishBody(): void;
}

/**
 * node's request, which knows its exchange: listeners on the prototype instead of closures per request. It hands the body
 * on as it comes, past the stream that it also is.
 */
export class GatewayRequest extends IncomingMessage {
	exchange: BodyTaker | null = null;
	/** What the connection remembers, when this request says the same. */
	remembered: RequestMemory | null = null;
	private direct = false;
	/** All of it was handed on. */
	whole = false;

	/** Hands the body to the exchange: as it comes, or from the stream when some of it waits there already. */
	handOn(): void {
		if (this.complete || this.readableLength > 0) {
			this.on('data', onData);
			this.on('end', onEnd);
			return;
		}
		this.direct = true;
		// node takes a body that nobody reads for one to be thrown away, and reads it once more.
		this._read(0);
	}

	override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
		if (!this.direct) return super.push(chunk, encoding);
		if (chunk !== null) this.exchange?.take(chunk);
		else {
			this.whole = true;
			this.exchange?.finishBody();
		}
		return true;
	}
}

// An accessor in node, a property to TypeScript. node lets go of a request when it says that it was read.
Object.defineProperty(GatewayRequest.prototype, 'readableEnded', {
	get(this: GatewayRequest): unknown {
		return this.whole || Reflect.get(IncomingMessage.prototype, 'readableEnded', this);
	},
});

function onData(this: GatewayRequest, chunk: Buffer): void {
	this.exchange?.take(chunk);
}

function onEnd(this: GatewayRequest): void {
	this.exchange?.finishBody();
}
