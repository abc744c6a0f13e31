import { StringDecoder } from 'node:string_decoder';

/** The last lines that a process wrote to stderr, bounded in bytes however much it writes. */
export class StderrRing {
	private readonly limit: number;
	private readonly decoder = new StringDecoder('utf8');
	private readonly kept: string[] = [];
	private size = 0;
	private rest = '';
	private readonly take: (line: string) => void;

	/** `limit` in characters over all lines; `take` is given each line as it is complete. */
	constructor(limit: number, take: (line: string) => void) {
		this.limit = limit;
		this.take = take;
	}

	push(chunk: Buffer): void {
		const lines = (this.rest + this.decoder.write(chunk)).split('\n');
		this.rest = (lines.pop() ?? '').slice(-longestLine);
		for (const line of lines) this.keep(line.replace(/\r$/, '').slice(0, longestLine));
	}

	/** The last `count` lines, oldest first, with an unfinished one at the end. */
	last(count: number): string[] {
		const lines = this.rest === '' ? this.kept : [...this.kept, this.rest];
		return lines.slice(-count);
	}

	private keep(line: string): void {
		if (line === '') return;
		this.kept.push(line);
		this.size += line.length;
		while (this.size > this.limit) this.size -= this.kept.shift()?.length ?? this.size;
		this.take(line);
	}
}

const longestLine = 16 * 1024;
