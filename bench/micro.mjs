// `node bench/micro.mjs`: what the scanner, the router and the codecs cost by themselves, on texts like those that pass
// through.
// Median of eleven rounds; on a busy machine only the relation of the lines means something.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const src = join(dirname(fileURLToPath(import.meta.url)), '../src');
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-micro-'));
const outfile = join(folder, 'micro.mjs');
await build({
	stdin: {
		contents: `
			export { scanJson, everywhere } from './lib/json-scan.ts';
			export { readPieces } from './lib/json-pieces.ts';
			export { splice } from './lib/splice.ts';
			export { Router } from './http/router.ts';
			export { ReplyHeads } from './http/reply-heads.ts';
			export { readEnvelope } from './mcp/wire/envelope.ts';
			export { callOf } from './mcp/wire/call-of.ts';
			export { modernCodec } from './mcp/wire/modern-codec.ts';
			export { codecOf } from './mcp/wire/legacy-codec.ts';
			export { resultResponse } from './mcp/rpc-text.ts';
			export { requestText } from './mcp/upstream/message.ts';
			export { scanMessage } from './mcp/upstream/transport/scan-message.ts';
			export { readHead } from './mcp/upstream/transport/reply-head.ts';
		`,
		resolveDir: src,
	},
	...{ bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error', define: { __VERSION__: '"0"' } },
});
const { scanJson, everywhere, splice, ...own } = await import(pathToFileURL(outfile).href);
rmSync(folder, { recursive: true });

const meta =
	'"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}';
const call = Buffer.from(
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a_echo","arguments":{"text":"hello"},${meta}}}`,
);
const schema =
	'{"type":"object","properties":{"a":{"type":"string","description":"what it is for"},"b":{"type":"integer"}}}';
const tool = (_, i) => `{"name":"tool-${i}","description":"does something useful","inputSchema":${schema}}`;
const list = Buffer.from(`{"tools":[${Array.from({ length: 300 }, tool).join(',')}]}`);
const large = Buffer.from(`{"content":[{"type":"text","text":"${'lorem ipsum '.repeat(87_000)}"}]}`);
const escapes = Buffer.from(
	JSON.stringify({ content: [{ type: 'text', text: 'a line of "quoted" words,\n'.repeat(35_000) }] }),
);
const block = (_, i) => ({ type: 'text', text: `item ${i} of the many that there are, and so on it goes` });
const blocks = Buffer.from(JSON.stringify({ content: Array.from({ length: 10_000 }, block) }));
const names = new Set(['uri', 'taskId', 'resourceUri']);
const numbers = Buffer.from(JSON.stringify({ structuredContent: Array.from({ length: 20_000 }, (_, i) => ({ i })) }));
const keys = Buffer.from(JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i]))));

const look = { params: { _meta: {}, ref: {} } };
const name = scanJson(call, look).members[3].members[0];
const items = scanJson(list, { tools: { '[]': {} } }).members[0].members.map(({ members: [{ start, end }] }) => ({
	...{ start, end, text: '"a_tool"' },
}));

measure('scan a call', call, () => scanJson(call, look));
measure('rename its tool', call, () => splice(call, [{ start: name.start, end: name.end, text: '"echo"' }]));
measure('scan 300 tools, each recorded', list, () => scanJson(list, { tools: { '[]': {} } }));
measure('scan 300 tools, everything recorded', list, () => scanJson(list, everywhere));
measure('rename 300 tools', list, () => splice(list, items));
measure('scan one long string', large, () => scanJson(large, {}));
measure('scan one with many escapes', escapes, () => scanJson(escapes, {}));
measure('scan 20,000 small objects', numbers, () => scanJson(numbers, {}));
measure('scan an object of 20,000 keys', keys, () => scanJson(keys, {}));
for (const [what, text] of [
	['one long string', large],
	['one with many escapes', escapes],
	['20,000 small objects', numbers],
	['10,000 blocks of content', blocks],
]) {
	const pieces = Array.from({ length: Math.ceil(text.length / 65_536) }, (_, i) =>
		text.subarray(i * 65_536, (i + 1) * 65_536),
	);
	measure(`check ${what} in pieces`, text, () => own.readPieces(pieces, names));
}

const any = { path: { kind: 'prefix', value: '/' }, method: null, headers: [], query: [] };
const mcp = { ...any, path: { kind: 'exact', value: '/mcp' } };
const route = (key, match) => ({ key, hostnames: [], matches: [match] });
const routes = [
	...Array.from({ length: 10 }, (_, i) => route(`r${i}`, { ...mcp, path: { kind: 'prefix', value: `/r${i}` } })),
];
const router = new own.Router([{ hostname: null, routes: [...routes, route('mcp', mcp)] }], () => null);
const request = { method: 'POST', path: '/mcp', query: '', host: '127.0.0.1:3000', headers: {} };
measure('choose one of 11 routes', null, () => router.match(request));
const heads = new own.ReplyHeads(75_000);
measure('the head of a reply', null, () => heads.of(200, ['content-type', 'application/json'], 273));
const envelope = own.readEnvelope(Buffer.from(call), 1024);
const caller = { capabilities: Buffer.from('{}'), clientInfo: null, handshake: true };
const sent = own.callOf(envelope, caller, []);
measure('read the envelope of a call', call, () => own.readEnvelope(call, 1024));
measure('write it for a server', call, () => own.requestText(7, sent, ''));
measure('write it with `_meta` of our own', call, () => own.requestText(7, sent, meta.slice(9, -1)));
const result = '{"content":[{"type":"text","text":"hello"}],"isError":false}';
const answer = Buffer.from(`{"jsonrpc":"2.0","id":7,"result":${result}}`);
const old = { text: Buffer.from(result), type: 'complete', stamped: false };
const stamped = {
	text: Buffer.from(result.replace('{', '{"resultType":"complete",')),
	type: 'complete',
	stamped: true,
};
const legacyCodec = own.codecOf(envelope, { wrappedTools: null }, true);
const modernCodec = own.modernCodec('tools/call');
measure('scan an answer', answer, () => own.scanMessage(answer));
measure('pass its result on', old.text, () => own.resultResponse(Buffer.from('1'), legacyCodec.result(old)));
measure('stamp it for a new client', old.text, () => modernCodec.result(old));
measure('take the stamp off for an old one', stamped.text, () => legacyCodec.result(stamped));
const head =
	'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 273\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\nconnection: keep-alive\r\nkeep-alive: timeout=5';
measure('read the head of an answer', Buffer.from(head), () => own.readHead(head));

function measure(what, text, work) {
	const times = [];
	for (let round = 0; round < 12; round++) {
		let count = 0;
		const start = performance.now();
		while (performance.now() - start < 60) for (let i = 0; i < 4; i++, count++) work();
		times.push(((performance.now() - start) * 1000) / count);
	}
	// The first round warms up.
	const [median] = times
		.slice(1)
		.sort((a, b) => a - b)
		.slice(5);
	const size = text === null ? '' : `${String(text.length).padStart(9)} B`;
	const speed = text === null ? '' : `${(text.length / median).toFixed(0).padStart(7)} MB/s`;
	console.log(`${what.padEnd(40)}${size.padStart(11)}${median.toFixed(2).padStart(11)} µs${speed}`);
}
