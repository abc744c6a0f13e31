import { join } from 'node:path';
import { root } from '../support/gateway.ts';

/** How a desktop client starts the gateway: as a server over stdio. */
export function ownGateway(config: string): { command: string; args: string[]; stderr: 'ignore' } {
	return {
		command: process.execPath,
		args: [join(root, 'bin/agentgateway.mjs'), 'stdio', '-f', config],
		stderr: 'ignore',
	};
}
