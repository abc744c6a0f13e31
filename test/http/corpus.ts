import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What is sent over one connection, and what has to come of it; `malformed/README.md` explains the members. */
export interface RawCase {
	/** Stands in the arguments of its calls. */
	readonly number: number;
	readonly file: string;
	readonly name: string;
	readonly bytes: string;
	readonly replies: readonly number[];
	readonly calls: number;
	readonly open: boolean;
	readonly end: boolean;
	readonly elsewhere: boolean;
}

type Written = Partial<RawCase> & {
	readonly name: string;
	readonly send: string;
	readonly replies: number[];
	readonly newer?: Partial<RawCase>;
};

const [major = 0, minor = 0] = (process.versions['llhttp'] ?? '').split('.').map(Number);
const isNewer = major > 9 || (major === 9 && minor >= 4);

const folder = new URL('malformed', import.meta.url).pathname;

/** Reads the corpus. */
export function rawCases(): RawCase[] {
	return readdirSync(folder)
		.filter((file) => file.endsWith('.yaml'))
		.sort()
		.flatMap((file) => {
			const cases = parse(readFileSync(join(folder, file), 'utf8')) as Written[];
			return cases.map(({ send, newer, ...one }) => ({
				...{ file, calls: 0, open: false, end: false, elsewhere: false, ...one, ...(isNewer ? newer : {}) },
				bytes: send,
			}));
		})
		.map((one, number) => ({ ...one, number, bytes: expand(one.bytes, number) }));
}

const meta =
	'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
const body = (tool: string, number: number) =>
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":{"case":${number}},${meta}}}`;
const headers = (tool: string) =>
	'Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n' +
	`MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: ${tool}\r\n`;
const host = 'Host: localhost\r\n';

/** A whole call of a tool. */
export function wholeCall(tool: string, number: number): string {
	const text = body(tool, number);
	return `POST /mcp HTTP/1.1\r\n${host}${headers(tool)}Content-Length: ${text.length}\r\n\r\n${text}`;
}

function macrosOf(number: number): Readonly<Record<string, string>> {
	const good = body('good', number);
	const { length } = good;
	return {
		...{ host, mcp: headers('good'), good, length: String(length) },
		...{ hex: length.toString(16), HEX: length.toString(16).toUpperCase() },
		...{ call: wholeCall('good', number), evil: wholeCall('evil', number) },
	};
}

function expand(text: string, number: number): string {
	const macros = macrosOf(number);
	return text
		.replace(/<x:(\d+)>/g, (_all, count: string) => 'x'.repeat(Number(count)))
		.replace(/<headers:(\d+)>/g, (_all, count: string) =>
			Array.from({ length: Number(count) }, (_, at) => `X-${at}: y\r\n`).join(''),
		)
		.replace(/<(\w+)>/g, (all, name: string) => macros[name] ?? all);
}
