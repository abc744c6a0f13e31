import { connect, type Socket } from 'node:net';

/** A connection that sends bytes as they are given and collects what comes back. */
export class RawClient {
	text = '';
	closed = false;
	/** Whether the handshake is done; the server may not have taken the connection yet. */
	connected = false;
	private readonly socket: Socket;
	private readonly waiting: (() => void)[] = [];

	constructor(port: number, host = '127.0.0.1') {
		this.socket = connect({ port, host, allowHalfOpen: true });
		this.socket.setEncoding('latin1');
		this.socket.on('connect', () => (this.connected = true));
		this.socket.on('data', (chunk: string) => {
			this.text += chunk;
			this.wake();
		});
		this.socket.on('error', () => undefined);
		// Half open, so that a case can end its own side first.
		this.socket.on('end', () => {
			this.closed = true;
			this.socket.end();
			this.wake();
		});
		this.socket.on('close', () => {
			this.closed = true;
			this.wake();
		});
	}

	send(bytes: string | Buffer): void {
		if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
		else this.socket.write(bytes);
	}

	/** Sends nothing more, and goes on reading. */
	end(): void {
		this.socket.end();
	}

	pause(): void {
		this.socket.pause();
	}

	resume(): void {
		this.socket.resume();
	}

	destroy(): void {
		this.socket.destroy();
	}

	/** Waits until the text received satisfies `test`, or fails after `ms`. */
	async until(test: (text: string, closed: boolean) => boolean, ms = 3_000): Promise<string> {
		const end = Date.now() + ms;
		while (!test(this.text, this.closed)) {
			const left = end - Date.now();
			if (left <= 0) throw new Error(`nothing fitting came: ${JSON.stringify(this.text)}, closed ${this.closed}`);
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, left);
				this.waiting.push(() => {
					clearTimeout(timer);
					resolve();
				});
			});
		}
		return this.text;
	}

	/** Waits for the server to close the connection. */
	untilClosed(ms = 3_000): Promise<string> {
		return this.until((_text, closed) => closed, ms);
	}

	private wake(): void {
		for (const resolve of this.waiting.splice(0)) resolve();
	}
}

/** Sends one request and gives back all that came until the connection closed. */
export function once(port: number, bytes: string | Buffer): Promise<string> {
	const client = new RawClient(port);
	client.send(bytes);
	return client.untilClosed();
}

/** The status of the first reply in `text`; 0 when there is none. */
export function statusOf(text: string): number {
	return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
}
