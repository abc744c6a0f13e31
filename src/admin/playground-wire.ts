import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import type { PlaygroundEndpoint } from './playground-endpoint.ts';
import type { ApiError } from './state.ts';

/** A JSON object of which nothing more is known. */
export type JsonObject = Record<string, unknown>;

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
	body: string;
	/** The event stream ended before `onMessage` was satisfied. */
	streamed: boolean;
}

export interface WireRequest {
	method: 'POST' | 'DELETE';
	headers: Record<string, string>;
	body: string | null;
	/** Ends the request. Its reason is a TimeoutError when time ran out. */
	signal: AbortSignal;
	/** Called for each message of an event stream; true ends the reading. */
	onMessage(message: JsonObject): boolean;
}

/** Sends one request to the gateway's own listener. */
export type Wire = (endpoint: PlaygroundEndpoint, request: WireRequest) => Promise<WireReply | WireFailure>;

/** Bytes of one reply that the playground takes in. */
const replyLimit = 16 * 1024 * 1024;

/**
 * A wire over `node:http` and a fresh connection each time: a kept one could be closed by the listener at the very
 * moment of the next request.
 */
export function createWire(request: typeof httpRequest = httpRequest): Wire {
	return (endpoint, init) =>
		new Promise((resolve) => {
			const outgoing = request(
				{
					host: endpoint.address,
					port: endpoint.port,
					path: endpoint.path,
					method: init.method,
					headers: { ...init.headers, host: endpoint.host },
					agent: false,
					signal: init.signal,
				},
				(incoming) => {
					incoming.on('error', (error) => resolve(connectionFailure(endpoint, error, init.signal)));
					const type = incoming.headers['content-type'] ?? '';
					if (type.startsWith('text/event-stream')) readEvents(incoming, init, resolve);
					else readBody(incoming, resolve);
				},
			);
			outgoing.on('error', (error) => resolve(connectionFailure(endpoint, error, init.signal)));
			outgoing.end(init.body);
		});
}

/** Makes a failure. */
export function wireFailure(status: number, error: string, remedy: string, detail = ''): WireFailure {
	return { failed: true, status, error: { error, remedy, detail } };
}

type Resolve = (reply: WireReply | WireFailure) => void;

function readBody(incoming: IncomingMessage, resolve: Resolve): void {
	const chunks: Buffer[] = [];
	let size = 0;
	incoming.on('data', (chunk: Buffer) => {
		size += chunk.length;
		if (size > replyLimit) tooLong(incoming, resolve);
		else chunks.push(chunk);
	});
	incoming.on('end', () => {
		const body = Buffer.concat(chunks).toString('utf8');
		resolve({ failed: false, status: incoming.statusCode ?? 0, headers: incoming.headers, body, streamed: false });
	});
}

function readEvents(incoming: IncomingMessage, init: WireRequest, resolve: Resolve): void {
	const { statusCode, headers } = incoming;
	const done = () => resolve({ failed: false, status: statusCode ?? 0, headers, body: '', streamed: true });
	let size = 0;
	let finished = false;
	const parser = createParser({
		onEvent({ data }) {
			const message = finished ? null : parseObject(data);
			if (message === null || !init.onMessage(message)) return;
			finished = true;
			done();
			incoming.destroy();
		},
	});
	const decoder = new TextDecoder();
	incoming.on('data', (chunk: Buffer) => {
		size += chunk.length;
		if (size > replyLimit) tooLong(incoming, resolve);
		else parser.feed(decoder.decode(chunk, { stream: true }));
	});
	incoming.on('end', done);
}

function tooLong(incoming: IncomingMessage, resolve: Resolve): void {
	const limit = `${replyLimit / 1024 / 1024} MiB`;
	resolve(
		wireFailure(502, `The reply is longer than the ${limit} that the Playground shows.`, 'Use an MCP client for it.'),
	);
	incoming.destroy();
}

/** The JSON object in a text, or null. */
export function parseObject(text: string): JsonObject | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
	} catch {
		return null;
	}
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
