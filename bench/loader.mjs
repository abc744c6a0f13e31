// Load over keep-alive connections from this process: for turns of milliseconds, which wrk cannot do, and at a fixed
// rate, where what waits counts as latency (as in wrk2). Answers with a length must all be nearly of that of the first one,
// as a list says for how long it holds, in more digits or fewer; those in chunks end where the last chunk does.
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
/** What was read last, from whichever connection: reading a megabyte into buffers of its own cost more than sending it. */
const read = Buffer.allocUnsafe(1024 * 1024);
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
		/** The beginning of the first answer, as long as it is not whole; then null. */
		this.first = '';
		this.done = null;
		this.until = 0;
		this.count = 0;
		this.closing = false;
	}

	async open() {
		const onread = { buffer: read, callback: (size) => this.take(read.subarray(0, size)) };
		this.socket = connect({ port: Number(this.target.port), host: this.target.hostname, onread }).setNoDelay(true);
		await new Promise((resolve, reject) => this.socket.on('connect', resolve).on('error', reject));
		await this.once();
		this.socket.on('close', () => {
			if (!this.closing) throw new Error(`${this.target.host} closed a connection`);
		});
	}

	/** The first answer tells how long the others are; false: it is not whole yet. */
	learn(chunk) {
		this.first += chunk.latin1Slice();
		const end = this.first.indexOf('\r\n\r\n');
		if (end < 0) return false;
		const length = /content-length: *(\d+)/i.exec(this.first.slice(0, end));
		const { first } = this;
		if (length === null ? !first.endsWith(lastChunk) : first.length < end + 4 + Number(length[1])) return false;
		if (!first.startsWith('HTTP/1.1 200')) throw new Error(first);
		this.chunked = length === null;
		this.expected = first.length;
		this.first = null;
		return true;
	}

	/** The length of the answer that begins with this chunk, where it is not that of the first one. */
	relearn(chunk) {
		const end = chunk.indexOf('\r\n\r\n');
		const length = end < 0 ? null : /content-length: *(\d+)/i.exec(chunk.latin1Slice(0, end));
		if (length === null) return;
		const whole = end + 4 + Number(length[1]);
		if (Math.abs(whole - this.expected) > 8) throw new Error(`another answer: ${chunk.latin1Slice(0, 500)}`);
		this.expected = whole;
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
		if (this.got === 0 && this.first === null && !this.chunked && chunk.length !== this.expected) this.relearn(chunk);
		this.got += chunk.length;
		if (this.first !== null) {
			if (!this.learn(chunk)) return;
		} else if (this.chunked) {
			this.tail =
				chunk.length < 5
					? this.tail.slice(chunk.length - 5) + chunk.latin1Slice()
					: chunk.latin1Slice(chunk.length - 5);
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
