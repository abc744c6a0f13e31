import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../support/gateway.ts';

/** The server that has all the official suite asks for; its flags stand in its head comment. */
export const conformance = join(root, 'test/fixtures/conformance/server.mjs');
/** The server without any SDK whose tools misbehave; its flags stand in its head comment. */
export const misbehaving = join(root, 'test/fixtures/stdio-server.mjs');

/** Starts it over HTTP; `sse` with HTTP+SSE beside it, whose address is then the one given. */
export async function startConformance(
	era: 'legacy' | 'modern' | 'both',
	...flags: string[]
): Promise<{ readonly url: string; stop(): void }> {
	const args = [conformance, '--http', '0', '--era', era, ...flags];
	const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	const url = await new Promise<string>((resolve, reject) => {
		child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk).trim()));
		child.once('exit', (code) => reject(new Error(`the fixture ended with ${code}`)));
	});
	return { url, stop: () => void child.kill() };
}
