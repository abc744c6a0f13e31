// A client that speaks 2026-07-28 where it can. Usage: node modern.mjs URL
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { drive } from './drive.mjs';

const client = new Client(
	{ name: 'conformance-driver', version: '1.0.0' },
	{
		capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
		versionNegotiation: { mode: 'auto' },
	},
);
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }));
client.setRequestHandler('roots/list', () => ({ roots: [] }));
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv.at(-1))));
await drive(client, JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}'));
await client.close();
process.exit(0);
