import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { everythingServer, root } from './gateway.ts';

/** server-everything over HTTP, on loopback. */
export interface EverythingServer {
	/** Streamable HTTP: `/mcp`; HTTP+SSE: `/sse`. */
	readonly url: string;
	stop(): Promise<void>;
}

/** Starts server-everything in one of its HTTP modes on a free port; it would listen on every interface by itself. */
export async function startEverything(mode: 'streamableHttp' | 'sse'): Promise<EverythingServer> {
	const preload = join(root, 'test/fixtures/loopback.mjs');
	const child = spawn(process.execPath, ['--import', preload, everythingServer, mode], {
		env: { ...process.env, PORT: '0' },
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
	const origin = await new Promise<string>((resolve, reject) => {
		let text = '';
		child.stderr.on('data', (chunk: Buffer) => {
			text += chunk;
			const found = /listens at (\S+)/.exec(text)?.[1];
			if (found !== undefined) resolve(found);
		});
		void closed.then(() => reject(new Error(`server-everything ended: ${text}`)));
	});
	return {
		url: `${origin}/${mode === 'sse' ? 'sse' : 'mcp'}`,
		stop: () => {
			child.kill();
			return closed;
		},
	};
}
