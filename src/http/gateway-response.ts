import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { GatewayRequest } from './gateway-request.ts';
import type { RequestMemory } from './request-memory.ts';

/** A connection that remembers what it carried last. */
export interface RememberingSocket extends Socket {
	memory?: RequestMemory;
}

/** Hears how a reply fares. */
export interface ReplyOwner {
	/** The connection is done with it. */
	close(): void;
	/** The client does not take the end of it at once. */
	limitStall(): void;
}

/** node's response, which knows its exchange. */
export class GatewayResponse extends ServerResponse<GatewayRequest> {
	exchange: ReplyOwner | null = null;

	/** node makes the response before it reads the request's headers, and reads all of them for one that it wants to see. */
	constructor(request: GatewayRequest) {
		super(request);
		const { memory } = request.socket as RememberingSocket;
		if (memory?.same(request) !== true) return;
		request.remembered = memory;
		request.headers = memory.headersOf(request);
	}

	/** Calls the exchange's `close` when the connection is done with it. */
	tellClose(): void {
		this.on('close', onClose);
	}

	/** Whether it is this one's turn on a connection that has nothing left to write and stays open. */
	get mayGoAtOnce(): boolean {
		const { socket } = this;
		return socket !== null && socket.writable && socket.writableLength === 0 && this.shouldKeepAlive;
	}

	/** Sends the whole reply, head and all, past what node makes of it. */
	sendWhole(status: number, text: string): void {
		const { socket } = this;
		if (socket === null) throw new Error('it is not the turn of this reply');
		this.statusCode = status;
		// oxlint-disable-next-line typescript/no-deprecated -- there is no other way to tell it, and none is planned
		this.finished = true;
		socket.write(text, 'latin1');
		// node takes the next request of the connection when it hears of this.
		if (socket.writableLength === 0) this.emit('finish');
		else socket.write('', () => this.emit('finish'));
	}
}

function onClose(this: GatewayResponse): void {
	this.exchange?.close();
}
