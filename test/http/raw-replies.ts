/** One reply, as it was on the wire. */
export interface RawReply {
	readonly status: number;
	/** Names in lower case. */
	readonly headers: ReadonlyMap<string, string>;
	readonly body: string;
}

/** Takes what came over a connection apart. Throws where it is not a row of whole HTTP/1.1 replies. */
export function rawReplies(text: string): RawReply[] {
	const replies: RawReply[] = [];
	let rest = text;
	while (rest !== '') {
		const end = rest.indexOf('\r\n\r\n');
		if (end < 0) throw new Error(`a reply without an end of its headers: ${JSON.stringify(rest)}`);
		const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
		const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/.exec(first)?.[1] ?? 0);
		if (status === 0) throw new Error(`no status line: ${JSON.stringify(first)}`);
		const headers = new Map(lines.map(headerOf));
		const { body, length } = bodyOf(status, headers, rest.slice(end + 4));
		replies.push({ status, headers, body });
		rest = rest.slice(end + 4 + length);
	}
	return replies;
}

function headerOf(line: string): [string, string] {
	const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
	if (name === '') throw new Error(`no header: ${JSON.stringify(line)}`);
	return [name.toLowerCase(), value];
}

function bodyOf(
	status: number,
	headers: ReadonlyMap<string, string>,
	rest: string,
): { readonly body: string; readonly length: number } {
	if (status < 200 || status === 204 || status === 304) return { body: '', length: 0 };
	const announced = headers.get('content-length');
	if (announced !== undefined) {
		const length = Number(announced);
		if (!(rest.length >= length)) throw new Error(`a body of ${rest.length} bytes where ${announced} were announced`);
		return { body: rest.slice(0, length), length };
	}
	if (headers.get('transfer-encoding') !== 'chunked') throw new Error('a body without an end');
	let at = 0;
	let body = '';
	for (;;) {
		const line = /^([0-9a-f]+)\r\n/i.exec(rest.slice(at))?.[1];
		if (line === undefined) throw new Error('no chunk size');
		const size = Number.parseInt(line, 16);
		body += rest.slice(at + line.length + 2, at + line.length + 2 + size);
		at += line.length + 2 + size + 2;
		if (size === 0) return { body, length: at };
	}
}
