// The suite's servers of 2026-07-28 answer `initialize` as well, so a gateway that serves each client in its own era
// would never have to translate. This passes everything on but that.
import { createServer, request } from 'node:http';

const version = '2026-07-28';

/** Stands in front of `url`; resolves with its own address. */
export async function hideOldEra(url) {
	const server = createServer((incoming, outgoing) => {
		if (incoming.method !== 'POST') return outgoing.writeHead(405, { Allow: 'POST' }).end();
		void passOn(incoming, outgoing, url);
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address();
	const own = new URL(url);
	own.port = String(port);
	return { url: own.href, close: () => server.close() };
}

async function passOn(incoming, outgoing, url) {
	const chunks = [];
	for await (const chunk of incoming) chunks.push(chunk);
	const body = Buffer.concat(chunks);
	const message = JSON.parse(body.toString());
	if (message.method === 'initialize') {
		const data = { supported: [version], requested: message.params?.protocolVersion };
		const error = { code: -32022, message: 'Unsupported protocol version', data };
		outgoing.writeHead(400, { 'Content-Type': 'application/json' });
		return outgoing.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
	}
	const headers = { ...incoming.headers, host: new URL(url).host };
	const sent = request(url, { method: 'POST', headers }, (answer) => {
		outgoing.writeHead(answer.statusCode, answer.headers);
		answer.pipe(outgoing);
	});
	sent.on('error', () => outgoing.destroy());
	outgoing.on('close', () => sent.destroy());
	sent.end(body);
}
