import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './gateway.ts';

/** The server that has all the official suite asks for; its flags stand in its head comment. */
export const conformanceServer = join(root, 'test/fixtures/conformance/server.mjs');

/** Starts it over HTTP on a free port. */
export async function startConformance(era: 'legacy' | 'modern' | 'both'): Promise<{ url: string; stop(): void }> {
	const child = spawn(process.execPath, [conformanceServer, '--http', '0', '--era', era], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const url = await new Promise<string>((resolve, reject) => {
		let text = '';
		child.stdout.on('data', (chunk: Buffer) => {
			text += chunk;
			const found = /http:\S+/.exec(text);
			if (found !== null) resolve(found[0]);
		});
		child.on('exit', (code) => reject(new Error(`the fixture ended with ${code}: ${text}`)));
	});
	return { url, stop: () => void child.kill() };
}
