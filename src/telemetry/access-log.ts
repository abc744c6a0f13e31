import type { Facts } from '../facts/facts.ts';
import { cutText } from '../lib/cut.ts';
import { escapeJson, escapeValue, quoteValue } from './escape.ts';
import { logLevels } from './log-filter.ts';
import type { LogCore } from './line-log.ts';

/** Writes the line of a request that has ended. `now` is milliseconds on the monotonic clock. */
export type AccessLog = (facts: Facts, now: number) => void;

/**
 * One line per request at level info under the scope `request`, with agentgateway's field names in their order;
 * absent values are left out. null when the filter lets no such line through, so that nobody pays for it.
 */
export function accessLog(core: LogCore): AccessLog | null {
	if (core.filter.threshold('request') > logLevels.indexOf('info')) return null;
	const notation = core.format.name === 'json' ? jsonNotation : textNotation;
	const place = new Stretch(samePlace, (facts) => placeFields(facts, notation));
	const what = new Stretch(sameRequest, (facts) => requestFields(facts, notation));
	return (facts, now) =>
		core.writePrepared(
			'info',
			'request',
			place.of(facts) +
				notation.text('src.addr', facts.sourceAddress) +
				what.of(facts) +
				ownFields(facts, now, notation),
		);
}

/** How one field is written. What clients and servers think up is cut by `cutText`. */
interface Notation {
	/** A word of our own or from the configuration, or a value that may need quotes. */
	text(name: string, value: string): string;
	quoted(name: string, value: string): string;
	/** Numbers, of which text adds the unit. */
	number(name: string, value: number, unit: string): string;
}

const textNotation: Notation = {
	text: (name, value) => ` ${name}=${escapeValue(cutText(value))}`,
	quoted: (name, value) => ` ${name}=${quoteValue(cutText(value))}`,
	number: (name, value, unit) => ` ${name}=${value}${unit}`,
};

const jsonNotation: Notation = {
	text: (name, value) => `,"${name}":${escapeJson(cutText(value))}`,
	quoted: (name, value) => `,"${name}":${escapeJson(cutText(value))}`,
	number: (name, value, unit) => (unit === '' ? `,"${name}":${value}` : `,"${name}":"${value}${unit}"`),
};

/**
 * Fields that stand side by side and are the same for many requests in a row, as those of one client that calls one
 * tool: comparing them is cheaper than escaping and joining them again.
 */
class Stretch {
	private readonly same: (a: Facts, b: Facts) => boolean;
	private readonly write: (facts: Facts) => string;
	private last: Facts | null = null;
	private text = '';

	constructor(same: Stretch['same'], write: Stretch['write']) {
		this.same = same;
		this.write = write;
	}

	of(facts: Facts): string {
		if (this.last === null || !this.same(facts, this.last)) {
			this.last = facts;
			this.text = this.write(facts);
		}
		return this.text;
	}
}

function samePlace(a: Facts, b: Facts): boolean {
	return (
		a.route === b.route &&
		a.listener === b.listener &&
		a.gateway === b.gateway &&
		a.routeRule === b.routeRule &&
		a.endpoint === b.endpoint
	);
}

function placeFields(facts: Facts, to: Notation): string {
	let line = '';
	if (facts.gateway !== undefined) line += to.text('gateway', facts.gateway);
	if (facts.listener !== undefined) line += to.text('listener', facts.listener);
	if (facts.routeRule !== undefined) line += to.text('route_rule', facts.routeRule);
	if (facts.route !== undefined) line += to.text('route', facts.route);
	if (facts.endpoint !== undefined) line += to.text('endpoint', facts.endpoint);
	return line;
}

function sameRequest(a: Facts, b: Facts): boolean {
	return (
		a.method === b.method &&
		a.host === b.host &&
		a.path === b.path &&
		a.httpVersion === b.httpVersion &&
		a.status === b.status &&
		a.protocol === b.protocol &&
		a.mcpMethod === b.mcpMethod &&
		a.mcpTarget === b.mcpTarget &&
		a.mcpResourceType === b.mcpResourceType &&
		a.mcpResource === b.mcpResource
	);
}

function requestFields(facts: Facts, to: Notation): string {
	let line = '';
	// What comes over stdio has nothing of the kind.
	if (facts.httpVersion !== '') {
		line += to.text('http.method', facts.method);
		line += to.text('http.host', facts.host);
		line += to.text('http.path', facts.path);
		line += to.text('http.version', facts.httpVersion);
	}
	if (facts.status !== undefined) line += to.number('http.status', facts.status, '');
	if (facts.protocol !== undefined) line += to.text('protocol', facts.protocol);
	if (facts.protocol !== 'mcp') return line;
	if (facts.mcpMethod !== undefined) line += to.text('mcp.method.name', facts.mcpMethod);
	if (facts.mcpTarget !== undefined) line += to.text('mcp.target', facts.mcpTarget);
	if (facts.mcpResourceType !== undefined) line += to.text('mcp.resource.type', facts.mcpResourceType);
	if (facts.mcpResource !== undefined) line += to.text(itemField(facts.mcpResourceType), facts.mcpResource);
	return line;
}

/** The fields that hardly two requests share. */
function ownFields(facts: Facts, now: number, to: Notation): string {
	let line = '';
	if (facts.protocol === 'mcp') {
		if (facts.mcpSession !== undefined) line += to.text('mcp.session.id', facts.mcpSession);
		if (facts.mcpErrorCode !== undefined) line += to.number('mcp.error.code', facts.mcpErrorCode, '');
		if (facts.mcpErrorMessage !== undefined) line += to.quoted('mcp.error.message', facts.mcpErrorMessage);
	}
	if (facts.error !== undefined) line += to.quoted('error', facts.error);
	if (facts.reason !== undefined && facts.reason !== 'Upstream') line += to.text('reason', facts.reason);
	return line + to.number('duration', Math.round(now - facts.startedAt), 'ms');
}

function itemField(type: string | undefined): string {
	if (type === 'tool') return 'gen_ai.tool.name';
	return type === 'prompt' ? 'gen_ai.prompt.name' : 'mcp.resource.uri';
}
