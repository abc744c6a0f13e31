import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Pieces } from '../../../lib/pieces.ts';
import { replyFault } from './io-fault.ts';
import type { ReplyHeaders } from './http-request.ts';
import type { TransportFault } from './transport.ts';

/** Larger answers are given up when nothing else is said: memory is finite. */
export const maximumAnswerBytes = 64 * 1024 * 1024;

/** Beyond its first bytes, only what is made to take long to read unpacks to more than so many times its size. */
const freeBytes = 1024 * 1024;
const maximumRatio = 100;

/** Where the bytes of a reply go, decoded if need be. */
export interface BodyTaker {
	data(chunk: Buffer): void;
	end(): void;
	broken(fault: TransportFault): void;
}

/** Decodes the body of one reply. */
export interface BodyDecoder {
	write(chunk: Buffer): void;
	end(): void;
	destroy(): void;
}

const decoders = {
	gzip: createGunzip,
	'x-gzip': createGunzip,
	deflate: createInflate,
	br: createBrotliDecompress,
} as const;

/**
 * What a body needs to become readable: null for nothing, a fault for what is not known. The gateway asks for no
 * compression, but some servers compress whatever they are asked. Output comes in small pieces, so that limits hold for
 * what unpacks to a thousand times its size.
 */
export function bodyDecoder(headers: ReplyHeaders, taker: BodyTaker): BodyDecoder | TransportFault | null {
	const coding = String(headers['content-encoding'] ?? '').toLowerCase();
	if (coding === '' || coding === 'identity') return null;
	if (!Object.hasOwn(decoders, coding))
		return replyFault(`it sent ${coding.slice(0, 40)} content, which was not asked for`);
	const decoder = decoders[coding as keyof typeof decoders]();
	const decoding = new Decoding(decoder, taker);
	decoder.on('data', (chunk: Buffer) => decoding.unpacked(chunk));
	decoder.on('end', () => taker.end());
	decoder.on('error', (error) =>
		taker.broken(replyFault(`it sent ${coding} content that is broken: ${error.message}`)),
	);
	return decoding;
}

/**
 * Gives a decoder one piece after the other, what has come meanwhile at once: single bytes, each with a place of its own
 * in the queue of a stream, came faster than they were decoded, and filled gigabytes.
 */
class Decoding implements BodyDecoder {
	private readonly decoder: Transform;
	private readonly taker: BodyTaker;
	private waiting: Pieces | null = null;
	private busy = false;
	private ended = false;
	private came = 0;
	private gave = 0;

	constructor(decoder: Transform, taker: BodyTaker) {
		this.decoder = decoder;
		this.taker = taker;
	}

	/** Blank lines and comments of a stream count against no limit of the taker's. */
	unpacked(chunk: Buffer): void {
		this.gave += chunk.length;
		if (this.gave <= freeBytes + this.came * maximumRatio) return this.taker.data(chunk);
		this.destroy();
		this.taker.broken(
			replyFault(`it sent compressed content that unpacks to more than ${maximumRatio} times its size`),
		);
	}

	write(chunk: Buffer): void {
		this.came += chunk.length;
		if (!this.busy) return this.pass(chunk);
		if (this.waiting === null) this.waiting = new Pieces(chunk);
		else this.waiting.add(chunk);
		if (this.waiting.length <= maximumAnswerBytes) return;
		this.destroy();
		this.taker.broken(replyFault('it sent compressed content faster than it can be read'));
	}

	end(): void {
		this.ended = true;
		if (!this.busy) this.decoder.end();
	}

	destroy(): void {
		this.waiting = null;
		this.decoder.destroy();
	}

	private pass(chunk: Buffer): void {
		this.busy = true;
		this.decoder.write(chunk, () => this.passed());
	}

	private passed(): void {
		const { waiting } = this;
		this.busy = false;
		this.waiting = null;
		if (this.decoder.destroyed) return;
		if (waiting !== null) this.pass(waiting.join());
		else if (this.ended) this.decoder.end();
	}
}

/** Whether a body needs a decoder that does not exist. */
export function isFault(decoder: BodyDecoder | TransportFault | null): decoder is TransportFault {
	return decoder !== null && 'kind' in decoder;
}
