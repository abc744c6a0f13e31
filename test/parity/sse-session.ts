import { expect } from 'vitest';
import { initialize, type Loose, message, send, stream, type Stream } from './wire.ts';

/** A session over HTTP+SSE, driven by hand: messages are posted, what comes back is on the one stream. */
export class SseSession {
	readonly open: Stream;
	private readonly endpoint: string;

	private constructor(open: Stream, endpoint: string) {
		this.open = open;
		this.endpoint = endpoint;
	}

	/** `url` is that of the stream. */
	static async open(url: string): Promise<SseSession> {
		const open = await stream(url, { method: 'GET' });
		if (open.status !== 200) throw new Error(`no stream: ${open.status}`);
		const path = () => /^event: endpoint\ndata: (\S+)$/m.exec(open.text())?.[1];
		await expect.poll(path).toBeDefined();
		const session = new SseSession(open, new URL(path() ?? '', url).href);
		await session.ask(initialize());
		await session.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
		return session;
	}

	/** The result of a request that must not fail. */
	async result(method: string, params: object = {}): Promise<Loose> {
		return this.ask(message(method, params));
	}

	close(): void {
		this.open.close();
	}

	private async ask(request: { id: number }): Promise<Loose> {
		await this.post(request);
		const found = () => this.open.seen.find((one) => one.id === request.id && one.method === undefined);
		await expect.poll(found, { timeout: 10_000 }).toBeDefined();
		const { result, error } = found();
		if (error !== undefined) throw new Error(JSON.stringify(error));
		return result;
	}

	private async post(body: object): Promise<void> {
		const { status, text } = await send(this.endpoint, { body });
		if (status !== 202) throw new Error(`posted: ${status} ${text}`);
	}
}
