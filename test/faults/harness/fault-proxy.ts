import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Lane, type Toxics } from './fault-lane.ts';

/** A TCP proxy before a server of this machine, whose faults can be switched while it runs. */
export class FaultProxy {
	/** Connections accepted so far. */
	accepted = 0;
	private toxics: Toxics = {};
	private readonly target: number;
	private readonly server: Server;
	private readonly pairs = new Set<Pair>();

	private constructor(target: number) {
		this.target = target;
		this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.accept(client));
	}

	/** Listens on a free port of 127.0.0.1, before another port of it. */
	static async start(target: number): Promise<FaultProxy> {
		const proxy = new FaultProxy(target);
		await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
		return proxy;
	}

	get port(): number {
		return (this.server.address() as AddressInfo).port;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}/mcp`;
	}

	get open(): number {
		return this.pairs.size;
	}

	/** Replaces what holds; `{}` is a clean line. */
	set(toxics: Toxics): void {
		this.toxics = toxics;
		if (toxics.down === true) this.cut();
		for (const pair of this.pairs) pair.wake();
	}

	/** Ends all open connections with RST. */
	reset(): void {
		for (const pair of this.pairs) pair.reset();
	}

	/** Closes all open connections at once. */
	cut(): void {
		for (const pair of this.pairs) pair.destroy();
	}

	/** Ends all open connections, and resolves when the clients have seen that and closed theirs. */
	async finish(): Promise<void> {
		await Promise.all([...this.pairs].map((pair) => pair.finish()));
	}

	async close(): Promise<void> {
		this.cut();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private accept(client: Socket): void {
		this.accepted++;
		if (this.toxics.down === true) {
			client.destroy();
			return;
		}
		const pair = new Pair(
			client,
			connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }),
			() => this.toxics,
		);
		this.pairs.add(pair);
		client.on('close', () => this.pairs.delete(pair));
	}
}

/** The two connections of one client. */
class Pair {
	private readonly client: Socket;
	private readonly server: Socket;
	private readonly lanes: readonly Lane[];

	constructor(client: Socket, server: Socket, toxics: () => Toxics) {
		this.client = client;
		this.server = server;
		this.lanes = [
			new Lane(client, server, toxics, null),
			new Lane(server, client, toxics, () => this.atLimit(toxics())),
		];
		for (const socket of [client, server]) {
			socket.on('error', () => {});
			socket.on('close', () => this.destroy());
		}
	}

	wake(): void {
		for (const lane of this.lanes) lane.wake();
	}

	reset(): void {
		this.client.resetAndDestroy();
		this.server.resetAndDestroy();
	}

	/** Ends the client's connection; resolves when the client has closed it, too. */
	finish(): Promise<void> {
		for (const lane of this.lanes) lane.end();
		if (this.client.closed) return Promise.resolve();
		const closed = new Promise<void>((resolve) => this.client.once('close', () => resolve()));
		this.client.end();
		this.client.resume();
		return closed;
	}

	destroy(): void {
		for (const lane of this.lanes) lane.end();
		this.client.destroy();
		this.server.destroy();
	}

	private atLimit({ limitResets }: Toxics): void {
		if (limitResets === true) this.reset();
		else this.destroy();
	}
}
