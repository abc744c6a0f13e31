import { StringDecoder } from 'node:string_decoder';

/** Cuts what one process writes to stderr into lines. Whatever it writes, no line is longer than 16 Ki characters. */
export class StderrLines {
	private readonly decoder = new StringDecoder('utf8');
	private readonly take: (line: string) => void;
	/** What stands behind the last line break. */
	rest = '';

	/** `take` is given each line as it is complete; empty ones are left out. */
	constructor(take: (line: string) => void) {
		this.take = take;
	}

	push(chunk: Buffer): void {
		const lines = (this.rest + this.decoder.write(chunk)).split('\n');
		this.rest = (lines.pop() ?? '').slice(-longestLine);
		for (const whole of lines) {
			const line = whole.replace(/\r$/, '').slice(0, longestLine);
			if (line !== '') this.take(line);
		}
	}
}

const longestLine = 16 * 1024;
