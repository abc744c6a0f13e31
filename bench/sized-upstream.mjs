// An MCP server whose answers are as large as one likes, prepared as bytes: what is measured is whoever passes them on.
// `ERA`, `RESULT` (bytes of a tools/call), `TOOLS` (their number, 1150 bytes each), `FORM` (json or events). Prints its port.
import { createServer } from 'node:net';

const modern = process.env.ERA === 'modern';
const head = modern ? '"resultType":"complete",' : '';
const cached = modern ? `${head}"ttlMs":60000,"cacheScope":"private",` : '';
const words = 'The quick brown fox\\njumps over \\"the lazy dog\\". '.repeat(Number(process.env.RESULT ?? 150) / 50);
const property = (i) =>
	`"argument${i}":{"type":"string","description":"${'what it is for and how it is used, '.repeat(3)}"}`;
const tool = (i) =>
	`{"name":"tool_${i}","description":"${'does something useful with what it is given. '.repeat(4)}","inputSchema":{"type":"object","properties":{${[1, 2, 3, 4, 5, 6].map(property).join(',')}},"required":["argument1"]}}`;
const tools = Array.from({ length: Number(process.env.TOOLS ?? 1) }, (_, i) =>
	i === 0 ? tool(0).replace('tool_0', 'echo') : tool(i),
);
const changes = '{"tools":{"listChanged":true}}';
const results = {
	'tools/call': `{${head}"content":[{"type":"text","text":"${words}"}],"isError":false}`,
	'tools/list': `{${cached}"tools":[${tools.join(',')}]}`,
	...(modern
		? { 'server/discover': `{${cached}"supportedVersions":["2026-07-28"],"capabilities":${changes}}` }
		: {
				initialize: `{"protocolVersion":"2025-11-25","capabilities":${changes},"serverInfo":{"name":"sized","version":"1"}}`,
			}),
};
const tails = Object.fromEntries(
	Object.entries(results).map(([name, text]) => [name, Buffer.from(`,"result":${text}}`)]),
);
const unknown = Buffer.from(',"error":{"code":-32601,"message":"Method not found"}}');
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n';
const acknowledged =
	'data: {"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true}}}\n\n';
const events = process.env.FORM === 'events';

function reply(socket, request, body) {
	// Streams for what changes, which nothing does.
	if (request.startsWith('GET')) return socket.write(`${streamHead}: open\n\n`);
	if (body.includes('"method":"subscriptions/listen"')) return socket.write(streamHead + acknowledged);
	const at = body.indexOf('"id":');
	if (at < 0) return socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n');
	const id = /^[^,}]+/.exec(body.slice(at + 5))[0];
	const tail = tails[/"method":"([^"]+)"/.exec(body)[1]] ?? unknown;
	const start = `${events ? 'event: message\ndata: ' : ''}{"jsonrpc":"2.0","id":${id}`;
	const end = events ? '\n\n' : '';
	const length = start.length + tail.length + end.length;
	const type = events ? 'text/event-stream' : 'application/json';
	socket.cork();
	socket.write(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n${start}`, 'latin1');
	socket.write(tail);
	if (events) socket.write(end);
	socket.uncork();
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
			const request = rest.slice(0, end);
			const length = Number(/content-length: *(\d+)/i.exec(request)?.[1] ?? 0);
			if (rest.length < end + 4 + length) return;
			const body = rest.slice(end + 4, end + 4 + length);
			rest = rest.slice(end + 4 + length);
			reply(socket, request, body);
		}
	});
}).listen(Number(process.env.PORT ?? 0), '127.0.0.1', function () {
	process.stdout.write(`${this.address().port}\n`);
});
