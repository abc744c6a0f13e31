import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceParser } from 'eventsource-parser';

/** Larger answers are given up: memory is finite. */
export const maximumAnswerBytes = 64 * 1024 * 1024;

/** Bytes to SSE events with data. */
export class EventReader {
	private readonly decoder = new StringDecoder('utf8');
	private readonly parser: EventSourceParser;
	lastEventId = '';
	retryMs: number | null = null;
	private tooLong = false;

	constructor(data: (text: Buffer) => void) {
		this.parser = createParser({
			onEvent: (event) => {
				if (event.id !== undefined) this.lastEventId = event.id;
				if (event.data !== '') data(Buffer.from(event.data));
			},
			onRetry: (ms) => {
				this.retryMs = ms;
			},
			onError: (error) => {
				if (error.type !== 'unknown-field') this.tooLong = true;
			},
			maxBufferSize: maximumAnswerBytes,
		});
	}

	/** False when an event is larger than what is accepted. */
	push(chunk: Buffer): boolean {
		this.parser.feed(this.decoder.write(chunk));
		return !this.tooLong;
	}
}
