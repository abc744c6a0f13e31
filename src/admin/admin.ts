import type { Exchange } from '../http/exchange.ts';
import { cutText } from '../lib/cut.ts';
import type { Logger } from '../telemetry/log.ts';
import { carriesJson, cookieName, decideAccess, showsToken } from './access.ts';
import { createConfigApi } from './config-api.ts';
import type { BuildInfo, ConfigApi } from './config-api.ts';
import type { ConfigWrite, ConfigWritten } from './config-write.ts';
import { Events } from './events.ts';
import { Playground } from './playground.ts';
import { createWire } from './playground-wire.ts';
import type { Wire } from './playground-wire.ts';
import { apiError, apiHeaders, sendError, sendJson } from './replies.ts';
import type { StateSnapshot } from './state.ts';
import { createUiFiles } from './ui-files.ts';

/** What the admin port is told of the gateway: plain functions that need no `this`, so that it can change nothing else. */
export interface AdminDeps {
	snapshot(): StateSnapshot;
	/** Calls `listener` after each change of the state; the returned function ends that. */
	onChange(listener: () => void): () => void;
	/** The running configuration in agentgateway's form; secrets are masked here. */
	configDump(): unknown;
	/** The file as written, unexpanded, as JSON; null: it is YAML only once its variables are expanded. */
	configDocument(): unknown;
	/** Tag of the text that the document was read from. */
	configTag(): string;
	/** Writes the file, and lets it come into effect. null: the configuration stands in no file. */
	writeConfig: ((write: ConfigWrite) => Promise<ConfigWritten>) | null;
	buildInfo: BuildInfo;
	/** Folder of the built UI; null when there is none. */
	uiRoot: string | null;
	/** Opens the port to what does not come over loopback; empty: nothing does. */
	adminToken: string;
	/** `config.allowedHosts` and the host of `config.publicUrl`. */
	allowedHosts: readonly string[];
	/** Values that must not be shown anywhere, such as the session key. */
	secrets: readonly string[];
	logger: Logger;
	logLevel(): string;
	/** Absent: the level cannot be changed while running. False: not a level. */
	setLogLevel?(level: string): boolean;
	/** How the Playground reaches the gateway's own listeners. Default: HTTP over loopback. */
	wire?: Wire;
	/** Milliseconds between keep-alive comments of event streams. Default 15,000. */
	eventsKeepAliveMs?: number;
	/** Milliseconds that one Playground call may take. Default 120,000. */
	playgroundTimeoutMs?: number;
	/** Milliseconds after which an unused Playground session ends. Default 600,000. */
	playgroundIdleMs?: number;
	randomBytes(size: number): Buffer;
	/** Milliseconds on the monotonic clock. */
	now(): number;
}

/** The admin port's side of the gateway. */
export interface Admin {
	/** Answers one request. */
	handle(exchange: Exchange): void;
	/** Ends event streams and Playground sessions. */
	close(): void;
}

interface Route {
	method: 'GET' | 'POST' | 'PUT' | 'DELETE';
	/** `{id}` stands for one path segment. */
	path: string;
	handle(exchange: Exchange, id: string): void;
}

/** Makes what answers on the admin port: the UI's files, and the API under it. */
export function createAdmin(deps: AdminDeps): Admin {
	const events = new Events({ ...deps, keepAliveMs: deps.eventsKeepAliveMs });
	const playground = new Playground({
		...deps,
		wire: deps.wire ?? createWire(),
		timeoutMs: deps.playgroundTimeoutMs,
		idleMs: deps.playgroundIdleMs,
	});
	const ui = createUiFiles(deps.uiRoot, () => deps.randomBytes(16).toString('base64'));
	const secret = () => deps.randomBytes(32).toString('base64url');
	const rules = { ...deps, localCookie: secret(), remoteCookie: secret() };
	const config = createConfigApi({ ...deps, isTrusted: (exchange) => showsToken(exchange, rules) });

	const serve = router(routesOf(deps, config, events, playground));

	function handle(exchange: Exchange): void {
		const access = decideAccess(exchange, rules);
		if (access.kind === 'refuse') {
			deps.logger.debug('admin request refused', { path: cutText(exchange.path), reason: access.error.error });
			sendError(exchange, 403, access.error);
			return;
		}
		const cookie = access.cookie === null ? null : setCookie(exchange, access.cookie);
		if (access.kind === 'redirect') redirect(exchange, 303, access.location, cookie);
		else if (!carriesJson(exchange)) sendError(exchange, 415, notJson);
		else if (exchange.path.startsWith('/ui/')) {
			if (exchange.method === 'GET' || exchange.method === 'HEAD') ui(exchange, cookie);
			else sendError(exchange, 405, wrongMethod, ['allow', 'GET, HEAD']);
		} else if (exchange.path === '/' || exchange.path === '/ui') redirect(exchange, 308, '/ui/', null);
		else serve(exchange);
	}

	return {
		handle,
		close() {
			events.close();
			playground.close();
		},
	};
}

/** All addresses of the API. */
function routesOf(deps: AdminDeps, config: ConfigApi, events: Events, playground: Playground): readonly Route[] {
	return [
		{ method: 'GET', path: '/config_dump', handle: config.dump },
		{ method: 'GET', path: '/config', handle: config.document },
		{ method: 'POST', path: '/config', handle: config.write },
		{ method: 'PUT', path: '/config', handle: config.write },
		{ method: 'GET', path: '/api/config', handle: config.document },
		{ method: 'POST', path: '/api/config', handle: config.write },
		{ method: 'PUT', path: '/api/config', handle: config.write },
		{ method: 'GET', path: '/api/runtime', handle: config.runtime },
		{ method: 'GET', path: '/logging', handle: config.logLevel },
		{ method: 'POST', path: '/logging', handle: config.setLogLevel },
		{ method: 'GET', path: '/api/state', handle: (exchange) => sendJson(exchange, 200, deps.snapshot()) },
		{ method: 'GET', path: '/api/events', handle: (exchange) => events.open(exchange) },
		{ method: 'POST', path: '/api/playground/connect', handle: (exchange) => playground.connect(exchange) },
		{
			method: 'POST',
			path: '/api/playground/sessions/{id}/call',
			handle: (exchange, id) => playground.call(exchange, id),
		},
		{
			method: 'DELETE',
			path: '/api/playground/sessions/{id}',
			handle: (exchange, id) => playground.remove(exchange, id),
		},
	];
}

/** Chooses by path and method; unknown paths are 404, known ones with another method 405. */
function router(routes: readonly Route[]): (exchange: Exchange) => void {
	const compiled = routes.map((route) => ({
		...route,
		pattern: new RegExp(`^${route.path.replace('{id}', '([0-9a-f]{1,64})')}$`),
	}));
	return (exchange) => {
		const method = exchange.method === 'HEAD' ? 'GET' : exchange.method;
		const allowed: string[] = [];
		for (const route of compiled) {
			const match = route.pattern.exec(exchange.path);
			if (match === null) continue;
			if (route.method === method) {
				route.handle(exchange, match[1] ?? '');
				return;
			}
			allowed.push(route.method);
		}
		if (allowed.length > 0) sendError(exchange, 405, wrongMethod, ['allow', allowed.join(', ')]);
		else sendError(exchange, 404, apiError(`There is no \`${exchange.path.slice(0, 200)}\` on the admin port.`));
	};
}

function redirect(exchange: Exchange, status: number, location: string, cookie: string | null): void {
	const headers = [...apiHeaders, 'location', location];
	if (cookie !== null) headers.push('set-cookie', cookie);
	exchange.respond(status, headers, '');
}

function setCookie(exchange: Exchange, value: string): string {
	return `${cookieName(exchange.host)}=${value}; Path=/; HttpOnly; SameSite=Strict`;
}

const notJson = apiError('A write needs `Content-Type: application/json`.', 'Send that header, and a JSON body.');

const wrongMethod = apiError('This address does not take that method.', 'The Allow header says which it takes.');
