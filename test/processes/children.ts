import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeTarget, root } from '../support/gateway.ts';

export const fixtureServer = join(root, 'test/fixtures/stdio-server.mjs');

/** A target that runs the misbehaving server; the flags stand in its head comment. */
export function fixtureTarget(name: string, ...flags: string[]): string {
	return nodeTarget(name, fixtureServer, ...flags);
}

/** A configuration whose targets are given as YAML list items, with `config.mcp` settings as `key: value`. */
export function childrenConfig(targets: string[], settings: Record<string, string> = {}): string {
	const mcp = Object.entries({ targetStartTimeout: '10s', ...settings }).map(([key, value]) => `    ${key}: ${value}`);
	const list = targets.join('\n').replace(/^/gm, '          ');
	return `
config:
  mcp:
${mcp.join('\n')}
binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
${list}
`;
}

/** A folder for a test's files; `pids` reads the file that `--pids=` names. */
export class Scratch {
	readonly folder = mkdtempSync(join(tmpdir(), 'agentgateway-children-'));
	readonly pidFile = join(this.folder, 'pids');

	pids(): number[] {
		try {
			return readFileSync(this.pidFile, 'utf8').trim().split('\n').map(Number);
		} catch {
			return [];
		}
	}

	living(): number[] {
		return this.pids().filter((pid) => isAlive(pid) && isOurs(pid));
	}

	remove(): void {
		for (const pid of this.living()) process.kill(pid, 'SIGKILL');
		rmSync(this.folder, { recursive: true, force: true });
	}
}

/** Whether a process runs; one that is dead and waits for its parent does not. */
export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
	} catch {
		return false;
	}
	try {
		return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
	} catch {
		// Gone since, or a system without /proc.
		return !hasProc;
	}
}

const hasProc = readdirSync('/').includes('proc');

/** A pid may have gone to somebody else since; then it is no business of ours. */
function isOurs(pid: number): boolean {
	if (!hasProc) return true;
	try {
		return /stdio-server\.mjs|^sleep\x00600/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
	} catch {
		return false;
	}
}

/** Asks until the condition holds; says what it waited for when it does not. */
export async function until(what: string, ms: number, condition: () => boolean | Promise<boolean>): Promise<void> {
	const end = performance.now() + ms;
	while (!(await condition())) {
		if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}
