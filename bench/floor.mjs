// The least that Node can do: node:http and undici's dispatch, one JSON.parse, no gateway. `PORT` and `UPSTREAM` are given.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const pool = new Pool(`http://127.0.0.1:${process.env.UPSTREAM}`, {
	connections: 64,
	pipelining: 1,
	headersTimeout: 0,
	bodyTimeout: 0,
});
const headers = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream'];

class Call {
	constructor(response) {
		this.response = response;
		this.first = null;
		this.more = null;
	}
	onRequestStart() {}
	onResponseStart() {}
	onResponseData(_controller, chunk) {
		if (this.first === null) this.first = chunk;
		else (this.more ??= [this.first]).push(chunk);
	}
	onResponseEnd() {
		const body = this.more === null ? this.first : Buffer.concat(this.more);
		this.response.writeHead(200, ['content-type', 'application/json', 'content-length', body.length]);
		this.response.end(body);
	}
	onResponseError() {
		this.response.writeHead(502).end();
	}
}

createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
	let first = null;
	request.on('data', (chunk) => (first = first === null ? chunk : Buffer.concat([first, chunk])));
	request.on('end', () => {
		JSON.parse(first);
		pool.dispatch({ method: 'POST', path: '/mcp', headers, body: first }, new Call(response));
	});
}).listen(Number(process.env.PORT), '127.0.0.1');
