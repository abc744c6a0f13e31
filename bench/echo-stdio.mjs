// A cheap MCP server over stdio for the benchmark.
const result = `{"content":[{"type":"text","text":"${'x'.repeat(150)}"}],"isError":false}`;
let rest = '';
process.stdin.on('data', (chunk) => {
	rest += chunk;
	const lines = rest.split('\n');
	rest = lines.pop();
	let out = '';
	for (const line of lines) {
		const message = JSON.parse(line);
		if (message.id === undefined) continue;
		if (message.method === 'tools/call') out += `{"jsonrpc":"2.0","id":${message.id},"result":${result}}\n`;
		else if (message.method === 'initialize') {
			const answer = {
				protocolVersion: '2025-11-25',
				capabilities: { tools: {} },
				serverInfo: { name: 'echo', version: '1' },
			};
			out += `${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: answer })}\n`;
		} else if (message.method === 'tools/list') {
			out += `${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] } })}\n`;
		} else
			out += `${JSON.stringify({ jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'Method not found' } })}\n`;
	}
	process.stdout.write(out);
});
process.stdin.on('end', () => process.exit(0));
