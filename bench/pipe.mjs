// A bare byte pipe of Node, `http.request` and `pipe` both ways: what passes bytes on and does nothing else. `PORT` and
// `UPSTREAM` are given.
import { Agent, createServer, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const port = Number(process.env.UPSTREAM);

createServer({ keepAliveTimeout: 75_000 }, (incoming, response) => {
	const { method, url: path, headers } = incoming;
	const outgoing = request({ agent, host: '127.0.0.1', port, method, path, headers }, (answer) => {
		response.writeHead(answer.statusCode, answer.headers);
		answer.pipe(response);
	});
	outgoing.on('error', () => response.destroy());
	incoming.pipe(outgoing);
}).listen(Number(process.env.PORT), '127.0.0.1');
