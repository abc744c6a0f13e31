import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../processes/children.ts';
import { canaries, faultsIn } from './faults-in.ts';
import { root } from './gateway.ts';

/** A message as it stood on a line of stdout. */
export interface Said {
	id?: unknown;
	method?: string;
	params?: Record<string, unknown>;
	result?: Record<string, unknown>;
	error?: { code: number; message: string };
}

/** `agentgateway stdio` as a process, spoken to line by line. */
export class StdioGateway {
	readonly process: ChildProcess;
	/** Rejects when stderr shows what it must not, as a gateway's log. */
	readonly exited: Promise<number | null>;
	stdout = '';
	stderr = '';

	/** `args` follow `stdio -f <file of the configuration>`. */
	constructor(yaml: string, args: string[] = [], env: Record<string, string> = {}) {
		const { file, remove } = configFile(yaml);
		this.process = spawn(process.execPath, [...gatewayArgs(file), ...args], {
			cwd: root,
			env: { ...process.env, ...noPorts, ...canaries, ...env },
			stdio: 'pipe',
		});
		this.process.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk));
		this.process.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk));
		this.process.stdin?.on('error', () => {});
		this.exited = new Promise((resolve, reject) =>
			this.process.on('close', (code) => {
				remove();
				const faults = faultsIn(this.stderr);
				if (faults.length === 0) resolve(code);
				else reject(new Error(`the log shows what it must not:\n${faults.join('\n')}`));
			}),
		);
	}

	/** Every line of stdout; throws when one is no message. */
	said(): Said[] {
		const lines = this.stdout.split('\n');
		lines.pop();
		return lines.map((line) => {
			const message = JSON.parse(line) as Said & { jsonrpc?: string };
			if (message.jsonrpc !== '2.0') throw new Error(`no message: ${line}`);
			return message;
		});
	}

	write(line: string): void {
		this.process.stdin?.write(`${line}\n`);
	}

	/** Sends a request; `id` and `params` are JSON text. */
	async request(id: string, method: string, params = '{}'): Promise<Said> {
		this.write(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`);
		return this.answer(id);
	}

	/** The response to the request with this id. */
	async answer(id: string): Promise<Said> {
		const found = () => this.said().find((one) => one.method === undefined && JSON.stringify(one.id) === id);
		await until(`an answer to ${id}`, 10_000, () => found() !== undefined);
		return found() as Said;
	}

	async initialize(capabilities = '{}'): Promise<Said> {
		const info = '"clientInfo":{"name":"raw","version":"1"}';
		const params = `{"protocolVersion":"2025-11-25","capabilities":${capabilities},${info}}`;
		const answer = await this.request('"init"', 'initialize', params);
		this.write('{"jsonrpc":"2.0","method":"notifications/initialized"}');
		return answer;
	}

	/** The client leaves in an orderly way. */
	end(): Promise<number | null> {
		this.process.stdin?.end();
		return this.exited;
	}
}

/** `_meta` of a client without session, with its capabilities. */
export function modernMeta(capabilities = '{}'): string {
	const prefix = 'io.modelcontextprotocol';
	return `"_meta":{"${prefix}/protocolVersion":"2026-07-28","${prefix}/clientCapabilities":${capabilities}}`;
}

/** Arguments for node that run the command with this configuration file. */
export function gatewayArgs(file: string): string[] {
	return [join(root, 'bin/agentgateway.mjs'), 'stdio', '-f', file];
}

export const noPorts = { ADMIN_ADDR: '127.0.0.1:0', STATS_ADDR: '127.0.0.1:0', READINESS_ADDR: '127.0.0.1:0' };

export function configFile(yaml: string): { file: string; remove(): void } {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-stdio-'));
	const file = join(folder, 'config.yaml');
	writeFileSync(file, yaml);
	return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
