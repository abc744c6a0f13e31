// A very cheap MCP server over HTTP, so that the gateway is what the benchmark measures: answers both eras with a
// result of fixed size, reads just the id. Prints its port.
import { createServer } from 'node:net';

const text = 'x'.repeat(150);
const callResult = `{"content":[{"type":"text","text":"${text}"}],"isError":false}`;
const modernResult = `{"resultType":"complete","content":[{"type":"text","text":"${text}"}],"isError":false}`;
const server = '{"name":"echo","version":"1"}';
const capabilities = '{"tools":{}}';
const tools = '[{"name":"echo","inputSchema":{"type":"object"}}]';

function resultOf(body) {
	const modern = body.includes('io.modelcontextprotocol/protocolVersion');
	if (body.includes('"method":"tools/call"')) return modern ? modernResult : callResult;
	if (body.includes('"method":"initialize"')) {
		if (process.env.ERA === 'modern') return null;
		return `{"protocolVersion":"2025-11-25","capabilities":${capabilities},"serverInfo":${server}}`;
	}
	if (body.includes('"method":"server/discover"')) {
		if (process.env.ERA === 'legacy') return null;
		return `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":${capabilities},"ttlMs":0,"cacheScope":"private"}`;
	}
	if (body.includes('"method":"tools/list"')) {
		return `{${modern ? '"resultType":"complete","ttlMs":0,"cacheScope":"private",' : ''}"tools":${tools}}`;
	}
	return '{}';
}

function reply(head, body) {
	if (head.startsWith('GET')) return 'HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n';
	const at = body.indexOf('"id":');
	if (at < 0) return 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n';
	let end = at + 5;
	while (end < body.length && body[end] !== ',' && body[end] !== '}') end++;
	const id = body.slice(at + 5, end);
	const result = resultOf(body);
	const json =
		result === null
			? `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"Method not found"}}`
			: `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
	return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`;
}

createServer((socket) => {
	socket.setNoDelay(true);
	let rest = '';
	socket.on('error', () => {});
	socket.on('data', (chunk) => {
		rest += chunk.toString('latin1');
		for (;;) {
			const end = rest.indexOf('\r\n\r\n');
			if (end < 0) return;
			const head = rest.slice(0, end);
			const found = /content-length: *(\d+)/i.exec(head);
			const length = found === null ? 0 : Number(found[1]);
			if (rest.length < end + 4 + length) return;
			const body = rest.slice(end + 4, end + 4 + length);
			rest = rest.slice(end + 4 + length);
			socket.write(reply(head, body), 'latin1');
		}
	});
}).listen(Number(process.env.PORT ?? 0), '127.0.0.1', function () {
	process.stdout.write(`${this.address().port}\n`);
});
