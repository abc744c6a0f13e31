import type { Dispatcher } from 'undici';
import { isScanFault, scanJson } from '../../../lib/json-scan.ts';
import type { Ticket } from '../../model.ts';
import { EventReader } from './event-reader.ts';
import { ioFault } from './io-fault.ts';
import type { Receiver } from './transport.ts';

/** The GET stream for what belongs to no request: opened again when it ends, until it is refused. */
export class Listening implements Ticket, Dispatcher.DispatchHandler {
	private readonly openStream: (lastEventId: string, handler: Dispatcher.DispatchHandler) => void;
	private readonly url: URL;
	private readonly receiver: Receiver;
	private reader: EventReader | null = null;
	private lastEventId = '';
	private retryMs = 1000;
	private pauseMs = 1000;
	private timer: NodeJS.Timeout | null = null;
	private controller: Dispatcher.DispatchController | null = null;
	private over = false;

	constructor(openStream: Listening['openStream'], url: URL, receiver: Receiver) {
		this.openStream = openStream;
		this.url = url;
		this.receiver = receiver;
	}

	begin(): void {
		if (!this.over) this.openStream(this.lastEventId, this);
	}

	cancel(): void {
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.controller?.abort(new Error('cancelled'));
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.controller = controller;
		if (this.over) controller.abort(new Error('cancelled'));
	}

	onResponseStart(
		_controller: Dispatcher.DispatchController,
		status: number,
		headers: Readonly<Record<string, string | string[] | undefined>>,
	): void {
		const events = status === 200 && String(headers['content-type'] ?? '').startsWith('text/event-stream');
		if (!events) {
			// A server that is busy or restarts may have it later. 405: there is no such stream; 404 shows on the next call.
			this.over = status !== 429 && status < 500;
			return;
		}
		this.pauseMs = this.retryMs;
		this.reader = new EventReader((data) => {
			const scanned = scanJson(data, { params: { _meta: {} }, result: {}, error: {} });
			if (!isScanFault(scanned) && scanned.members !== null) this.receiver.message(scanned, null);
		});
	}

	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
		if (this.reader === null || this.over) return;
		this.reader.push(chunk);
		if (this.reader.lastEventId !== '') this.lastEventId = this.reader.lastEventId;
		if (this.reader.retryMs !== null) this.retryMs = this.reader.retryMs;
	}

	onResponseEnd(): void {
		this.again();
	}

	onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
		if (!this.over) this.receiver.failed(ioFault(this.url, error));
		this.again();
	}

	private again(): void {
		this.reader = null;
		if (this.over) return;
		this.timer = setTimeout(() => this.begin(), this.pauseMs);
		this.timer.unref();
		this.pauseMs = Math.min(this.pauseMs * 2, 30_000);
	}
}
