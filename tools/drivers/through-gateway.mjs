// The suite's "client under test": a gateway in front of the suite's server, and a driver in front of the gateway.
// Usage: node through-gateway.mjs modern|legacy URL. Exits as the driver does.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startGateway } from '../harness/servers.mjs';
import { hideOldEra } from './modern-only.mjs';

const [driver, url] = process.argv.slice(2);
const translates = driver === 'legacy' && process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28';
const server = translates ? await hideOldEra(url) : { url, close: () => {} };
const gateway = await startGateway({ mcp: { host: server.url } });
const file = fileURLToPath(new URL(`./${driver}.mjs`, import.meta.url));
const child = spawn(process.execPath, [file, gateway.url], { stdio: ['ignore', 'inherit', 'inherit'] });
// The suite gives up by ending its shell, which closes this pipe.
process.stdin.resume().on('end', () => child.kill());
const code = await new Promise((resolve) => child.on('close', (exit) => resolve(exit ?? 1)));
await gateway.stop();
server.close();
process.stderr.write(gateway.log());
process.exit(code);
