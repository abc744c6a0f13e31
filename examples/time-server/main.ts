import { createInterface } from 'node:readline';
import { answer } from './server.ts';
import { timeTools } from './tools.ts';

// A small MCP server over stdio: what mcp-server-time does, without Python. `--local-timezone=NAME` as there.
const option = process.argv.find((arg) => arg.startsWith('--local-timezone='))?.split('=')[1];
const tools = timeTools(option ?? Intl.DateTimeFormat().resolvedOptions().timeZone);

createInterface({ input: process.stdin }).on('line', (line) => {
	let message: Record<string, unknown>;
	try {
		message = JSON.parse(line) as Record<string, unknown>;
	} catch {
		process.stdout.write('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}\n');
		return;
	}
	const reply = answer(message, tools, new Date());
	if (reply !== null) process.stdout.write(`${JSON.stringify(reply)}\n`);
});
