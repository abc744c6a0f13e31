import type { ServerResponse } from 'node:http';
import { type HttpMcpServer, type Override, type Received, sendError } from '../../support/http-mcp-server.ts';

/** What an HTTP server can be told to do instead of answering, each with its own settings. */
export type HttpFault =
	| { fault: 'delay'; ms: number }
	| { fault: 'hang' }
	| { fault: 'junk' }
	| { fault: 'huge'; mib: number }
	| { fault: 'half' }
	| { fault: 'wrongId' | 'unknownId' | 'duplicate' | 'reusedId' }
	| { fault: 'unsolicited' }
	| { fault: 'endless' | 'looping' }
	| { fault: 'badSchema' }
	| { fault: 'status'; status: number; type?: string; body?: string }
	| { fault: 'wrongType' }
	| { fault: 'longLength' | 'shortLength' }
	| { fault: 'drip'; bytesPerSecond: number }
	| { fault: 'closeMidStream' }
	| { fault: 'reset' }
	| { fault: 'forget' }
	| { fault: 'floodNotes'; count: number };

/** The answer to a method from now on; `server` is the one that misbehaves. */
export function httpFault(server: HttpMcpServer, fault: HttpFault): Override {
	const respond = responders[fault.fault];
	const settings: Settings = { ...fault };
	return (message, response) => respond({ server, message, response, settings });
}

/** Lets a call decide itself: `arguments: {"fault": "reset"}` takes that one call, all others are answered. */
export function faultPerCall(server: HttpMcpServer): void {
	server.override('tools/call', (message, response) => {
		const wanted = message.params['arguments'] as HttpFault | undefined;
		if (wanted?.fault !== undefined) httpFault(server, wanted)(message, response);
		else answerNormally(message, response);
	});
}

type Settings = { fault: HttpFault['fault'] } & Partial<
	Record<'ms' | 'mib' | 'status' | 'bytesPerSecond' | 'count', number> & Record<'type' | 'body', string>
>;

interface Occasion {
	server: HttpMcpServer;
	message: Received;
	response: ServerResponse;
	/** Each responder reads what its own fault has. */
	settings: Settings;
}

type Responder = (occasion: Occasion) => void;

const responders: Record<HttpFault['fault'], Responder> = {
	delay: ({ message, response, settings }) =>
		void setTimeout(() => answerNormally(message, response), settings.ms ?? 0),
	hang: () => {},
	junk: ({ response }) => json(response, 'Server is running\n{"broken":'),
	huge: ({ message, response, settings }) =>
		json(response, answerText(message.id, 'x'.repeat((settings.mib ?? 0) * 1024 * 1024))),
	half: ({ message, response }) => {
		const text = answerText(message.id, 'half');
		response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
		response.write(text.slice(0, text.length / 2), () => response.destroy());
	},
	wrongId: ({ response }) => json(response, answerText(987_654, 'secret of another')),
	unknownId: ({ message, response }) =>
		events(response, [answerText('nobody', 'secret of another'), answerText(message.id, 'mine')]),
	duplicate: ({ message, response }) =>
		events(response, [answerText(message.id, 'first'), answerText(message.id, 'second')]),
	reusedId: ({ server, message, response }) => {
		const earlier = server.of('tools/call').at(-2)?.id;
		events(response, [answerText(earlier, 'secret of another'), answerText(message.id, 'mine')]);
	},
	unsolicited: ({ message, response }) =>
		events(response, [
			'{"jsonrpc":"2.0","id":"u1","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}',
			'{"jsonrpc":"2.0","id":"u2","method":"no/such/method"}',
			answerText(message.id, 'mine'),
		]),
	endless: ({ message, response }) => list(message, response, String(Number(message.params['cursor'] ?? 0) + 1)),
	looping: ({ message, response }) => list(message, response, 'again'),
	badSchema: ({ message, response }) =>
		result(message, response, '{"tools":[{"name":"bad","inputSchema":7},{"inputSchema":{}},null,{"name":["x"]}]}'),
	status: ({ response, settings }) => {
		response.writeHead(settings.status ?? 500, { 'content-type': settings.type ?? 'text/html' });
		response.end(settings.body ?? '<h1>Internal Server Error</h1>');
	},
	wrongType: ({ message, response }) => {
		response.writeHead(200, { 'content-type': 'text/plain' }).end(answerText(message.id, 'plain'));
	},
	longLength: ({ message, response }) => {
		const text = answerText(message.id, 'too little');
		response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length + 50 });
		response.write(text, () => response.destroy());
	},
	shortLength: ({ message, response }) =>
		raw(response, `content-length: 20\r\n\r\n${answerText(message.id, 'too much')}`),
	drip: ({ message, response, settings }) =>
		drip(response, answerText(message.id, 'drop by drop'), settings.bytesPerSecond ?? 1),
	closeMidStream: ({ response }) => {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.write(
			'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\ndata: {"json',
			() => response.destroy(),
		);
	},
	reset: ({ response }) => response.socket?.resetAndDestroy(),
	forget: ({ server, message, response }) => {
		server.sessions.clear();
		sendError(response, message, 404, -32001, 'Session not found');
	},
	floodNotes: ({ message, response, settings }) => {
		const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"flood"}}';
		events(response, [
			...Array.from({ length: settings.count ?? 0 }, () => note),
			answerText(message.id, 'after the flood'),
		]);
	},
};

function answerText(id: Received['id'], text: string): string {
	return `{"jsonrpc":"2.0","id":${JSON.stringify(id ?? null)},"result":{"content":[{"type":"text","text":${JSON.stringify(text)}}],"resultType":"complete"}}`;
}

/** The text of a call's `arguments.text`, as a server without faults would echo it. */
function answerNormally(message: Received, response: ServerResponse): void {
	const text = (message.params['arguments'] as { text?: string } | undefined)?.text ?? '';
	json(response, answerText(message.id, text));
}

function result(message: Received, response: ServerResponse, text: string): void {
	json(response, `{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${text}}`);
}

function list(message: Received, response: ServerResponse, next: string): void {
	const name = `tool${Number(message.params['cursor'] ?? 0)}`;
	result(
		message,
		response,
		`{"tools":[{"name":"${name}","inputSchema":{"type":"object"}}],"nextCursor":"${next}","resultType":"complete"}`,
	);
}

function json(response: ServerResponse, text: string): void {
	response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

function events(response: ServerResponse, messages: readonly string[]): void {
	response.writeHead(200, { 'content-type': 'text/event-stream' });
	for (const text of messages) response.write(`data: ${text}\n\n`);
	response.end();
}

/** Bytes after the status line that no HTTP library would write. */
function raw(response: ServerResponse, rest: string): void {
	response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${rest}`);
}

function drip(response: ServerResponse, text: string, bytesPerSecond: number): void {
	response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
	let sent = 0;
	const timer = setInterval(() => {
		response.write(text[sent++] ?? '');
		if (sent >= text.length) response.end();
	}, 1000 / bytesPerSecond);
	response.on('close', () => clearInterval(timer));
}
