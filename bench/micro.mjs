// `node bench/micro.mjs`: what the scanner and splicing cost by themselves, on texts like those that pass through.
// Median of eleven rounds; on a busy machine only the relation of the lines means something.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const lib = join(dirname(fileURLToPath(import.meta.url)), '../src/lib');
const folder = mkdtempSync(join(tmpdir(), 'agentgateway-micro-'));
const outfile = join(folder, 'micro.mjs');
await build({
	stdin: {
		contents: "export { scanJson, everywhere } from './json-scan.ts'; export { splice } from './splice.ts';",
		resolveDir: lib,
	},
	...{ bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' },
});
const { scanJson, everywhere, splice } = await import(pathToFileURL(outfile).href);
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
measure('scan 20,000 small objects', numbers, () => scanJson(numbers, {}));
measure('scan an object of 20,000 keys', keys, () => scanJson(keys, {}));

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
	const speed = text.length / median;
	console.log(
		`${what.padEnd(38)}${String(text.length).padStart(9)} B${median.toFixed(1).padStart(10)} µs${speed.toFixed(0).padStart(7)} MB/s`,
	);
}
