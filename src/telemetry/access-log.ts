import type { Facts } from '../facts/facts.ts';
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
	const places = new Places(notation);
	return (facts, now) => core.writePrepared('info', 'request', places.of(facts) + fieldsOf(facts, now, notation));
}

/** How one field is written. */
interface Notation {
	/** A word of our own or from the configuration, or a value that may need quotes. */
	text(name: string, value: string): string;
	quoted(name: string, value: string): string;
	/** Numbers, of which text adds the unit. */
	number(name: string, value: number, unit: string): string;
}

const textNotation: Notation = {
	text: (name, value) => ` ${name}=${escapeValue(value)}`,
	quoted: (name, value) => ` ${name}=${quoteValue(value)}`,
	number: (name, value, unit) => ` ${name}=${value}${unit}`,
};

const jsonNotation: Notation = {
	text: (name, value) => `,"${name}":${escapeJson(value)}`,
	quoted: (name, value) => `,"${name}":${escapeJson(value)}`,
	number: (name, value, unit) => (unit === '' ? `,"${name}":${value}` : `,"${name}":"${value}${unit}"`),
};

/** The fields that all requests of a route share, written once for as long as they stay the same. */
class Places {
	private readonly to: Notation;
	private last: Facts | null = null;
	private text = '';

	constructor(to: Notation) {
		this.to = to;
	}

	of(facts: Facts): string {
		const { last } = this;
		const same =
			last !== null &&
			facts.route === last.route &&
			facts.listener === last.listener &&
			facts.gateway === last.gateway &&
			facts.routeRule === last.routeRule &&
			facts.endpoint === last.endpoint;
		if (!same) {
			this.last = facts;
			this.text = placeFields(facts, this.to);
		}
		return this.text;
	}
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

function fieldsOf(facts: Facts, now: number, to: Notation): string {
	let line = to.text('src.addr', facts.sourceAddress);
	line += to.text('http.method', facts.method);
	line += to.text('http.host', facts.host);
	line += to.text('http.path', facts.path);
	line += to.text('http.version', facts.httpVersion);
	if (facts.status !== undefined) line += to.number('http.status', facts.status, '');
	if (facts.protocol !== undefined) line += to.text('protocol', facts.protocol);
	if (facts.protocol === 'mcp') line += mcpFields(facts, to);
	if (facts.error !== undefined) line += to.quoted('error', facts.error);
	if (facts.reason !== undefined && facts.reason !== 'Upstream') line += to.text('reason', facts.reason);
	return line + to.number('duration', Math.round(now - facts.startedAt), 'ms');
}

function mcpFields(facts: Facts, to: Notation): string {
	let line = '';
	if (facts.mcpMethod !== undefined) line += to.text('mcp.method.name', facts.mcpMethod);
	if (facts.mcpTarget !== undefined) line += to.text('mcp.target', facts.mcpTarget);
	if (facts.mcpResourceType !== undefined) line += to.text('mcp.resource.type', facts.mcpResourceType);
	if (facts.mcpResource !== undefined) line += to.text(itemField(facts.mcpResourceType), facts.mcpResource);
	if (facts.mcpSession !== undefined) line += to.text('mcp.session.id', facts.mcpSession);
	if (facts.mcpErrorCode !== undefined) line += to.number('mcp.error.code', facts.mcpErrorCode, '');
	if (facts.mcpErrorMessage !== undefined) line += to.quoted('mcp.error.message', facts.mcpErrorMessage);
	return line;
}

function itemField(type: string | undefined): string {
	if (type === 'tool') return 'gen_ai.tool.name';
	return type === 'prompt' ? 'gen_ai.prompt.name' : 'mcp.resource.uri';
}
