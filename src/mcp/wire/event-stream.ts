/** Headers of every event stream. The last one keeps nginx from holding events back. */
export const streamHeaders: readonly string[] = [
	'content-type',
	'text/event-stream',
	'cache-control',
	'no-cache, no-transform',
	'x-accel-buffering',
	'no',
];

/** A message as one SSE event. The scanner has left no line break in it. */
export function eventOf(message: Buffer): Buffer {
	return Buffer.concat([eventHead, message, eventEnd]);
}

/** An event with an id, which is visible ASCII. */
export function identified(id: string, event: Buffer): Buffer {
	return Buffer.concat([Buffer.from(`id: ${id}\n`), event]);
}

/** An event without a message: it tells the client where to resume, and after how many milliseconds. */
export function primingEvent(id: string, retryMs: number): string {
	return `id: ${id}\nretry: ${retryMs}\ndata:\n\n`;
}

/** Sent when nothing else is, so that nobody between hangs up. */
export const keepAlive = ': keep-alive\n\n';
/** After so much silence. */
export const keepAliveMs = 15_000;

const eventHead = Buffer.from('event: message\ndata: ');
const eventEnd = Buffer.from('\n\n');
