import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { EventReader } from '../lib/event-reader.ts';
import { Pieces } from '../lib/pieces.ts';
import type { PlaygroundEndpoint } from './playground-endpoint.ts';
import type { ApiError } from './state.ts';

/** Why there is no reply, with the status that the admin API gives it. */
export interface WireFailure {
	failed: true;
	status: number;
	error: ApiError;
	/** What the gateway answered with, when it did. */
	httpStatus?: number;
}

/** What the gateway answered. */
export interface WireReply {
	failed: false;
	status: number;
	headers: IncomingMessage['headers'];
	/** The whole body, when it was not an event stream. */
	body: Buffer;
	/** The event stream ended before `onEvent` was satisfied. */
	streamed: boolean;
}

export interface WireRequest {
	method: 'POST' | 'DELETE';
	headers: Record<string, string>;
	body: Buffer | null;
	/** Ends the request. Its reason is a TimeoutError when time ran out. */
	signal: AbortSignal;
	/** Called with the data of each event of a stream; true ends the reading. */
	onEvent(data: Buffer): boolean;
}

/** Sends one request to the gateway's own listener. */
export type Wire = (endpoint: PlaygroundEndpoint, request: WireRequest) => Promise<WireReply | WireFailure>;

/** Bytes of one reply that the Playground takes in: a hostile one of this size is walked in less than 50 ms. */
export const replyLimit = 8 * 1024 * 1024;

const nothing = Buffer.alloc(0);

/**
 * A wire over `node:http` and a fresh connection each time: a kept one could be closed by the listener at the very
 * moment of the next request.
 */
export function createWire(request: typeof httpRequest = httpRequest): Wire {
	return (endpoint, init) =>
		new Promise((resolve) => {
			const failed = (error: Error) => resolve(connectionFailure(endpoint, error, init.signal));
			const { address: host, port, path } = endpoint;
			const headers = { ...init.headers, host: endpoint.host };
			const options = { host, port, path, method: init.method, headers, agent: false, signal: init.signal };
			try {
				const outgoing = request(options, (incoming) => {
					incoming.on('error', failed);
					const type = incoming.headers['content-type'] ?? '';
					if (type.startsWith('text/event-stream')) readEvents(incoming, init, resolve);
					else readBody(incoming, resolve);
				});
				outgoing.on('error', failed);
				outgoing.end(init.body);
			} catch (error) {
				// A header that cannot be sent, such as a version that an odd server has chosen.
				failed(error instanceof Error ? error : new Error(String(error)));
			}
		});
}

/** Makes a failure. */
export function wireFailure(status: number, error: string, remedy: string, detail = ''): WireFailure {
	return { failed: true, status, error: { error, remedy, detail } };
}

type Resolve = (reply: WireReply | WireFailure) => void;

function readBody(incoming: IncomingMessage, resolve: Resolve): void {
	const pieces = new Pieces(nothing);
	incoming.on('data', (chunk: Buffer) => {
		if (pieces.length + chunk.length > replyLimit) tooLong(incoming, resolve);
		else pieces.add(chunk);
	});
	incoming.on('end', () => {
		const { statusCode, headers } = incoming;
		resolve({ failed: false, status: statusCode ?? 0, headers, body: pieces.join(), streamed: false });
	});
}

function readEvents(incoming: IncomingMessage, init: WireRequest, resolve: Resolve): void {
	const { statusCode, headers } = incoming;
	const done = () => resolve({ failed: false, status: statusCode ?? 0, headers, body: nothing, streamed: true });
	let size = 0;
	let finished = false;
	const reader = new EventReader(replyLimit, (data) => {
		if (finished || !init.onEvent(data)) return;
		finished = true;
		done();
		incoming.destroy();
	});
	incoming.on('data', (chunk: Buffer) => {
		size += chunk.length;
		if (size > replyLimit) tooLong(incoming, resolve);
		else reader.push(chunk);
	});
	incoming.on('end', done);
}

function tooLong(incoming: IncomingMessage, resolve: Resolve): void {
	resolve(tooLongFailure('reply'));
	incoming.destroy();
}

/** The failure of what is longer than `replyLimit`. */
export function tooLongFailure(what: 'reply' | 'list of tools'): WireFailure {
	const limit = `${replyLimit / 1024 / 1024} MiB`;
	return wireFailure(
		502,
		`The ${what} is longer than the ${limit} that the Playground shows.`,
		'Use an MCP client for it.',
	);
}

function connectionFailure(endpoint: PlaygroundEndpoint, error: Error, signal: AbortSignal): WireFailure {
	if (signal.aborted) {
		const reason: unknown = signal.reason;
		return reason instanceof Error && reason.name === 'TimeoutError'
			? wireFailure(504, 'The gateway did not answer in time.', 'Look at the state of the target, then try again.')
			: wireFailure(499, 'The call was cancelled.', '');
	}
	const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
	const place = `${endpoint.address} port ${endpoint.port}`;
	if (code === 'ECONNREFUSED') {
		return wireFailure(502, `Nothing listens on ${place}.`, "Look at the gateway's log for this port.", error.message);
	}
	return wireFailure(
		502,
		`The connection to ${place} broke before the answer was complete.`,
		"Try again; the gateway's log says why it closed the connection.",
		code === '' ? error.message : `${code}: ${error.message}`,
	);
}
