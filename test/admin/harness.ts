import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createAdmin } from '../../src/admin/admin.ts';
import type { Admin, AdminDeps } from '../../src/admin/admin.ts';
import type { StateSnapshot } from '../../src/admin/state.ts';
import type { Exchange, ReplyStream } from '../../src/http/exchange.ts';
import { listen } from '../../src/http/server.ts';
import { silent } from '../support/silent-logger.ts';

/** An admin port on a free port of this machine, with a state that the test changes. */
export interface AdminUnderTest {
	admin: Admin;
	port: number;
	state: StateSnapshot;
	/** Announces a change of `state`. */
	changed(): void;
	listeners(): number;
	/** The event streams that were opened, as the admin port writes to them. */
	readonly streams: readonly ReplyStream[];
	close(): Promise<void>;
}

export const token = 'canary-admin-token';

export async function startAdmin(more: Partial<AdminDeps> & { elsewhere?: boolean } = {}): Promise<AdminUnderTest> {
	const state = emptyState();
	const listeners = new Set<() => void>();
	const admin = createAdmin({
		snapshot: () => state,
		onChange: (listener) => {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		configDump: () => ({}),
		configDocument: () => ({}),
		configTag: () => 'tag',
		writeConfig: null,
		buildInfo: { version: '9.9.9', gitRevision: '', buildProfile: 'release', buildTarget: 'x', nodeVersion: '20' },
		uiRoot: null,
		adminToken: token,
		allowedHosts: [],
		secrets: [],
		logger: silent,
		logLevel: () => 'info',
		randomBytes,
		now: () => performance.now(),
		...more,
	});
	const faults: unknown[] = [];
	const streams: ReplyStream[] = [];
	const server = await listen({
		address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
		bind: 'admin',
		handler: (exchange) => admin.handle(observed(exchange, streams, more.elsewhere === true)),
		onError: (fault) => faults.push(fault),
	});
	if ('fault' in server) throw new Error(server.message);
	return {
		admin,
		port: server.port,
		state,
		changed: () => {
			state.revision++;
			for (const listener of listeners) listener();
		},
		listeners: () => listeners.size,
		streams,
		close: async () => {
			admin.close();
			await server.close(0);
			if (faults.length > 0) throw new AggregateError(faults, 'the admin port threw');
		},
	};
}

export interface Answer {
	status: number;
	headers: IncomingMessage['headers'];
	text: string;
}

/** One request over a real socket; `path` goes out as it is. */
export function ask(
	port: number,
	path: string,
	init: { method?: string; headers?: Record<string, string>; body?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const { method = 'GET', headers = {}, body, signal } = init;
		const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false, signal }, (incoming) => {
			const chunks: Buffer[] = [];
			incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
			incoming.on('error', reject);
			incoming.on('end', () =>
				resolve({
					status: incoming.statusCode ?? 0,
					headers: incoming.headers,
					text: Buffer.concat(chunks).toString('utf8'),
				}),
			);
		});
		outgoing.on('error', reject);
		outgoing.end(body);
	});
}

export function emptyState(): StateSnapshot {
	return {
		revision: 1,
		version: '9.9.9',
		startedAt: '2026-01-01T00:00:00Z',
		now: '2026-01-01T00:00:00Z',
		config: { synchronized: true, since: '2026-01-01T00:00:00.000Z', errors: [], needsRestart: [] },
		configSource: 'config.yaml',
		warnings: [],
		binds: [],
		sessions: 0,
		requests: 0,
		childProcesses: 0,
		memoryBytes: 0,
		pressure: [],
	};
}

/** The same exchange, which notes its streams; `elsewhere`: as if it had come from another machine. */
function observed(exchange: Exchange, streams: ReplyStream[], elsewhere: boolean): Exchange {
	return new Proxy(exchange, {
		get(target, name) {
			if (name === 'overLoopback' && elsewhere) return false;
			if (name === 'stream')
				return (...args: Parameters<Exchange['stream']>) => {
					const stream = target.stream(...args);
					streams.push(stream);
					return stream;
				};
			const value: unknown = Reflect.get(target, name);
			return typeof value === 'function' ? value.bind(target) : value;
		},
	});
}
