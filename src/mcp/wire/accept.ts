/**
 * How a client takes the reply to a POST: `json` and `stream` take both forms and say which they like better or, as
 * `json-only`, that they take no streams; `neither` takes nothing that the gateway could send.
 */
export type ReplyForm = 'json' | 'stream' | 'json-only' | 'neither';

/**
 * Reads an `Accept` header (RFC 9110, 12.5.1). Clients should name both forms, but many a simple one does not; what
 * does not exclude both is taken kindly. Of two forms the one that stands first is liked better; weights are not
 * compared, except that a weight of 0 excludes.
 */
export function readAccept(accept: string | null): ReplyForm {
	if (accept === null || accept === usual || accept.trim() === '') return 'json';
	let place = 0;
	let json = -1;
	let stream = -1;
	for (const range of accept.toLowerCase().split(',')) {
		const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
		place++;
		if (parameters.some((parameter) => /^q\s*=\s*0(\.0*)?$/.test(parameter))) continue;
		if (json < 0 && takesJson.has(type)) json = place;
		if (stream < 0 && takesStream.has(type)) stream = place;
	}
	if (json < 0) return stream < 0 ? 'neither' : 'stream';
	if (stream < 0) return 'json-only';
	return stream < json ? 'stream' : 'json';
}

/** What most clients send. */
const usual = 'application/json, text/event-stream';
const takesJson: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);
const takesStream: ReadonlySet<string> = new Set(['text/event-stream', 'text/*', '*/*']);
