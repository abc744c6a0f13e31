import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { replyFault } from './io-fault.ts';
import type { ReplyHeaders } from './http-request.ts';
import type { TransportFault } from './transport.ts';

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
 * compression, but some servers compress whatever they are asked. Output comes in small pieces, so that the taker's
 * own limit holds for what unpacks to a thousand times its size.
 */
export function bodyDecoder(headers: ReplyHeaders, taker: BodyTaker): BodyDecoder | TransportFault | null {
	const coding = String(headers['content-encoding'] ?? '').toLowerCase();
	if (coding === '' || coding === 'identity') return null;
	if (!Object.hasOwn(decoders, coding))
		return replyFault(`it sent ${coding.slice(0, 40)} content, which was not asked for`);
	const decoder = decoders[coding as keyof typeof decoders]();
	decoder.on('data', (chunk: Buffer) => taker.data(chunk));
	decoder.on('end', () => taker.end());
	decoder.on('error', (error) =>
		taker.broken(replyFault(`it sent ${coding} content that is broken: ${error.message}`)),
	);
	return {
		write: (chunk) => void decoder.write(chunk),
		end: () => void decoder.end(),
		destroy: () => void decoder.destroy(),
	};
}

/** Whether a body needs a decoder that does not exist. */
export function isFault(decoder: BodyDecoder | TransportFault | null): decoder is TransportFault {
	return decoder !== null && 'kind' in decoder;
}
