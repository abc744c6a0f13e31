import { RE2JS } from 're2js';
import type { Listener, Match, Route, ValueMatch } from '../config/ir.ts';
import { parseAuthority } from './authority.ts';
import type { Exchange, Refusal } from './exchange.ts';
import { compileMatchedLength, type MatchedLength } from './matched-length.ts';
import { refuse } from './refusal.ts';

/** The route that a request takes, and what was compiled for it. */
export interface Routed<T> {
	readonly listener: Listener;
	readonly route: Route;
	readonly payload: T;
}

/** What the router reads of a request. */
export type RoutedRequest = Pick<Exchange, 'method' | 'path' | 'query' | 'host' | 'headers'>;

/**
 * Chooses listener by host, then route, with the precedence of the Gateway API: host (exact, longest wildcard, none),
 * exact path before prefix and regex, longer pattern, method, more headers, more query parameters, route key.
 */
export class Router<T> {
	private readonly listeners: readonly CompiledListener<T>[];
	/** null: no route has a regular expression. */
	private readonly matchedLength: MatchedLength | null;
	/** The host of the last request with its name: nearly always the next one has the same. */
	private lastHost = '';
	private lastName = '';

	/** `build` makes the payload of a route, once per route. Throws when a regular expression does not compile. */
	constructor(listeners: readonly Listener[], build: (route: Route, listener: Listener) => T) {
		this.matchedLength = compileMatchedLength(listeners);
		this.listeners = listeners
			.map((listener) => ({ host: compileHost(listener.hostname), rules: compileRules(listener, build) }))
			.sort((a, b) => b.host.rank - a.host.rank);
	}

	/** 404 `listener not found` or `route not found` when nothing matches, 414 or 431 when too much would have to be read. */
	match(request: RoutedRequest): Routed<T> | Refusal {
		const tooLong = this.matchedLength === null ? null : this.matchedLength(request);
		if (tooLong !== null) return tooLong;
		const host = this.nameOf(request.host);
		for (const listener of this.listeners) {
			if (!listener.host.matches(host)) continue;
			for (const rule of listener.rules) if (rule.host.matches(host) && rule.matches(request)) return rule.routed;
			return routeNotFound;
		}
		return listenerNotFound;
	}

	private nameOf(host: string): string {
		if (host !== this.lastHost) {
			this.lastName = hostName(host);
			this.lastHost = host;
		}
		return this.lastName;
	}
}

interface CompiledListener<T> {
	host: HostPattern;
	rules: readonly Rule<T>[];
}

interface HostPattern {
	/** Higher comes first. */
	rank: number;
	matches(host: string): boolean;
}

/** One match of one route under one of its host names. */
interface Rule<T> {
	host: HostPattern;
	match: Match;
	matches(request: RoutedRequest): boolean;
	routed: Routed<T>;
}

type Test = (request: RoutedRequest) => boolean;

const listenerNotFound = refuse(404, 'listener not found', 'NotFound');
const routeNotFound = refuse(404, 'route not found', 'NotFound');

function compileRules<T>(listener: Listener, build: (route: Route, listener: Listener) => T): Rule<T>[] {
	const rules: Rule<T>[] = [];
	for (const route of listener.routes) {
		const routed: Routed<T> = Object.freeze({ listener, route, payload: build(route, listener) });
		const hosts = route.hostnames.length === 0 ? [compileHost(null)] : route.hostnames.map(compileHost);
		for (const match of route.matches) {
			const matches = compileMatch(match);
			for (const host of hosts) rules.push({ host, match, matches, routed });
		}
	}
	return rules.sort(precedence);
}

function precedence(a: Rule<unknown>, b: Rule<unknown>): number {
	return (
		b.host.rank - a.host.rank ||
		Number(b.match.path.kind === 'exact') - Number(a.match.path.kind === 'exact') ||
		b.match.path.value.length - a.match.path.value.length ||
		Number(b.match.method !== null) - Number(a.match.method !== null) ||
		b.match.headers.length - a.match.headers.length ||
		b.match.query.length - a.match.query.length ||
		compareText(a.routed.route.key, b.routed.route.key)
	);
}

function compareText(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** Exact names rank above all wildcards, those by their length, above `null`, which matches everything. */
function compileHost(hostname: string | null): HostPattern {
	if (hostname === null || hostname === '*') return { rank: 0, matches: () => true };
	const wanted = hostname.toLowerCase();
	if (!wanted.startsWith('*.')) return { rank: 1000, matches: (host) => host === wanted };
	const suffix = wanted.slice(1);
	return { rank: suffix.length, matches: (host) => host.length > suffix.length && host.endsWith(suffix) };
}

function compileMatch(match: Match): Test {
	const path = compilePath(match.path.kind, match.path.value);
	const others: Test[] = [];
	if (match.method !== null) {
		const { method } = match;
		others.push((request) => request.method === method);
	}
	for (const header of match.headers) others.push(compileHeader(header));
	for (const parameter of match.query) others.push(compileQuery(parameter));
	if (others.length === 0) return (request) => path(request.path);
	return (request) => path(request.path) && others.every((test) => test(request));
}

function compilePath(kind: Match['path']['kind'], value: string): (path: string) => boolean {
	if (kind === 'exact') return (path) => path === value;
	if (kind === 'regex') return fullMatch(value);
	const prefix = value.endsWith('/') ? value.slice(0, -1) : value;
	if (prefix === '') return () => true;
	// Whole segments: `/mcp` is a prefix of `/mcp/x`, not of `/mcpx`.
	return (path) =>
		path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f);
}

function compileHeader(header: ValueMatch): Test {
	const test = compileValue(header);
	const name = header.name.toLowerCase();
	return (request) => {
		const value = name.startsWith(':') ? pseudoHeader(name, request) : headerValue(request.headers, name);
		return value !== undefined && test(value);
	};
}

function compileQuery(parameter: ValueMatch): Test {
	const test = compileValue(parameter);
	return (request) => {
		if (request.query === '') return false;
		const value = new URLSearchParams(request.query).get(parameter.name);
		return value !== null && test(value);
	};
}

function compileValue({ kind, value }: ValueMatch): (value: string) => boolean {
	return kind === 'exact' ? (given) => given === value : fullMatch(value);
}

/** An engine that works in linear time: a pattern and a path must not stop the loop together. */
function fullMatch(pattern: string): (text: string) => boolean {
	const compiled = RE2JS.compile(pattern);
	return (text) => compiled.matches(text);
}

function pseudoHeader(name: string, request: RoutedRequest): string | undefined {
	if (name === ':method') return request.method;
	if (name === ':authority') return request.host;
	if (name === ':scheme') return 'http';
	if (name === ':path') return request.query === '' ? request.path : `${request.path}?${request.query}`;
	return undefined;
}

function headerValue(headers: RoutedRequest['headers'], name: string): string | undefined {
	if (!Object.hasOwn(headers, name)) return undefined;
	const value = headers[name];
	return typeof value === 'string' ? value : value?.join(', ');
}

/** Host without its port; most hosts have none or end in one. */
function hostName(host: string): string {
	return host.includes(':') ? (parseAuthority(host)?.host ?? host) : host;
}
