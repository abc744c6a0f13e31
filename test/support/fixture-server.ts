import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './gateway.ts';

/** A server from test/fixtures as a process of its own. */
export interface FixtureServer {
	/** What it printed: where it listens. */
	readonly url: string;
	stop(): Promise<void>;
}

/** Starts a fixture, a path below test/fixtures, that prints its address in its first line. */
export async function startFixture(file: string, ...args: string[]): Promise<FixtureServer> {
	const child = spawn(process.execPath, [join(root, 'test/fixtures', file), ...args], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
	const url = await new Promise<string>((resolve, reject) => {
		child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk).trim()));
		void closed.then(() => reject(new Error(`${file} ended before it listened`)));
	});
	return {
		url,
		stop: () => {
			child.kill();
			return closed;
		},
	};
}
