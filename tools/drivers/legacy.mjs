// A client from before 2026-07-28, so that the gateway must do what is new itself. Usage: node legacy.mjs URL
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { drive } from './drive.mjs';

const client = new Client(
	{ name: 'conformance-driver', version: '1.0.0' },
	{ capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} } },
);
client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [] }));
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv.at(-1))));
await drive(client, JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}'));
await client.close();
process.exit(0);
