// Load over keep-alive connections from this process: for turns of milliseconds, which wrk cannot do, and at a fixed
// rate, where what waits counts as latency (as in wrk2). Answers with a length must all be of that of the first one; those
// in chunks end where the last chunk does.
import { connect } from 'node:net';

/** Opens connections that send the same request, each with an id of its own. */
export async function openLoader(url, { headers, body }, connections) {
	const target = new URL(url);
	const lines = Object.entries({ 'content-type': 'application/json', ...headers });
	const all = [];
	for (let at = 0; at < connections; at++) {
		const text = body.replace('@ID@', String(1000 + at));
		const head = `POST ${target.pathname} HTTP/1.1\r\nhost: ${target.host}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
		all.push(new Connection(target, Buffer.from(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)));
	}
	await Promise.all(all.map((one) => one.open()));
	return new Loader(all);
}

/** The last chunk of an answer whose length nobody knew. */
const lastChunk = '0\r\n\r\n';
const bell = new Int32Array(new SharedArrayBuffer(4));

class Loader {
	constructor(connections) {
		this.connections = connections;
	}

	/** Each connection sends as soon as it has its answer. Gives the number of answers once all are there. */
	async closed(milliseconds) {
		const until = performance.now() + milliseconds;
		const counts = await Promise.all(this.connections.map((one) => one.repeat(until)));
		return counts.reduce((sum, count) => sum + count, 0);
	}

	/**
	 * Sends `rate` requests a second, evenly, whatever becomes of them; those that find no free connection wait. Gives the
	 * latencies in milliseconds from when they were due, in rising order.
	 */
	async open(rate, seconds) {
		const began = performance.now();
		const total = Math.floor(rate * seconds);
		const idle = [...this.connections];
		const latencies = [];
		const waiting = [];
		let next = 0;
		await new Promise((resolve) => {
			const serve = async (connection, due) => {
				await connection.once();
				latencies.push(performance.now() - due);
				const waits = waiting.shift();
				if (waits !== undefined) return void serve(connection, waits);
				idle.push(connection);
				if (latencies.length === total) resolve();
			};
			const tick = () => {
				const now = performance.now();
				for (; next < total && began + (next * 1000) / rate <= now; next++) {
					const due = began + (next * 1000) / rate;
					const connection = idle.pop();
					if (connection === undefined) waiting.push(due);
					else void serve(connection, due);
				}
				// Node's timers are a millisecond coarse, and looking all the time would take the core from the echo server.
				if (next < total) {
					Atomics.wait(bell, 0, 0, 0.05);
					setImmediate(tick);
				}
			};
			tick();
		});
		return latencies.sort((a, b) => a - b);
	}

	close() {
		for (const one of this.connections) one.close();
	}
}

class Connection {
	constructor(target, request) {
		this.target = target;
		this.request = request;
		this.expected = 0;
		this.got = 0;
		this.chunked = false;
		this.tail = '';
		this.done = null;
		this.until = 0;
		this.count = 0;
		this.closing = false;
	}

	async open() {
		this.socket = connect(Number(this.target.port), this.target.hostname).setNoDelay(true);
		await new Promise((resolve, reject) => this.socket.on('connect', resolve).on('error', reject));
		const first = await new Promise((resolve) => {
			let text = '';
			const take = (chunk) => {
				text += chunk.toString('latin1');
				const end = text.indexOf('\r\n\r\n');
				if (end < 0) return;
				const length = /content-length: *(\d+)/i.exec(text.slice(0, end));
				if (length === null ? !text.endsWith(lastChunk) : text.length < end + 4 + Number(length[1])) return;
				this.chunked = length === null;
				this.socket.off('data', take);
				resolve(text);
			};
			this.socket.on('data', take);
			this.socket.write(this.request);
		});
		if (!first.startsWith('HTTP/1.1 200')) throw new Error(first);
		this.expected = first.length;
		this.socket.on('data', (chunk) => this.take(chunk));
		this.socket.on('close', () => {
			if (!this.closing) throw new Error('the server closed a connection');
		});
	}

	close() {
		this.closing = true;
		this.socket.destroy();
	}

	once() {
		return this.repeat(0);
	}

	repeat(until) {
		this.until = until;
		this.count = 0;
		return new Promise((resolve) => {
			this.done = resolve;
			this.socket.write(this.request);
		});
	}

	take(chunk) {
		this.got += chunk.length;
		if (this.chunked) {
			this.tail = chunk.length < 5 ? this.tail.slice(chunk.length - 5) + chunk.latin1Slice() : chunk.latin1Slice(-5);
			if (this.tail !== lastChunk) return;
		} else if (this.got < this.expected) return;
		else if (this.got > this.expected) throw new Error(`an answer of another length: ${chunk.toString('latin1')}`);
		this.got = 0;
		this.count++;
		if (performance.now() < this.until) return void this.socket.write(this.request);
		const { done } = this;
		this.done = null;
		done(this.count);
	}
}
