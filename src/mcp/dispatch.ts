import { decodeString, type Member } from '../lib/json-scan.ts';
import type { Edit } from '../lib/splice.ts';
import type { Facts } from '../facts/facts.ts';
import { code, mcpError } from './errors.ts';
import { listKinds } from './catalog.ts';
import { mergeLists } from './merge.ts';
import type { Call, McpError, Sink, Ticket } from './model.ts';
import type { DispatchContext } from './dispatch-context.ts';
import { withExposedUris } from './exposed-uris.ts';
import type { Owned } from './names.ts';
import type { Leg } from './upstreams.ts';

/**
 * Sends a call where it belongs: to the one server that owns the name, to all of them with the answers merged, or
 * nowhere. The table is the whole of the routing; a method that is not in it reaches a server only if there is
 * just one.
 */
export function dispatch(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	facts.mcpMethod = call.method;
	const route = Object.hasOwn(routes, call.method) ? routes[call.method] : undefined;
	if (route !== undefined) return route(call, context, facts, sink);
	return toOnly(call, context, facts, sink);
}

type Route = (call: Call, context: DispatchContext, facts: Facts, sink: Sink) => Ticket;

const routes: Readonly<Record<string, Route>> = {
	'tools/call': (...a) => byName('tool', 'Unknown tool', ...a),
	'prompts/get': (...a) => byName('prompt', 'Unknown prompt', ...a),
	'resources/read': byUri,
	'resources/subscribe': subscribe,
	'resources/unsubscribe': subscribe,
	'completion/complete': byReference,
	'tools/list': list,
	'prompts/list': list,
	'resources/list': list,
	'resources/templates/list': list,
	'logging/setLevel': setLevel,
};

const nothingToCancel: Ticket = { cancel() {} };

function byName(
	type: 'tool' | 'prompt',
	unknown: string,
	call: Call,
	context: DispatchContext,
	facts: Facts,
	sink: Sink,
): Ticket {
	const member = stringMember(call.params.members, 'name', call.params.text);
	if (member === null) return refuse(sink, mcpError(code.invalidParams, `${call.method} needs params.name, a string`));
	const exposed = decodeString(call.params.text, member.start, member.end);
	facts.mcpResourceType = type;
	const owner = context.naming.ownerOfName(exposed);
	if (owner !== null) return toOwner(owner, member, exposed, call, context, facts, sink, unknown);
	if (context.naming.prefixed) return refuse(sink, mcpError(code.invalidParams, `${unknown}: ${exposed}`));
	const late = new LateTicket();
	context.owners.find(type, exposed, call, (found) => {
		if (late.cancelled) sink.fail(mcpError(code.cancelled, 'cancelled'));
		else if (found === null) sink.fail(mcpError(code.invalidParams, `${unknown}: ${exposed}`));
		else late.follow(toOwner({ target: found, name: exposed }, member, exposed, call, context, facts, sink, unknown));
	});
	return late;
}

function byUri(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const member = stringMember(call.params.members, 'uri', call.params.text);
	if (member === null) return refuse(sink, mcpError(code.invalidParams, `${call.method} needs params.uri, a string`));
	const exposed = decodeString(call.params.text, member.start, member.end);
	facts.mcpResourceType = 'resource';
	const owner = context.naming.ownerOfUri(exposed);
	if (owner === null) return refuse(sink, mcpError(code.invalidParams, `Unknown resource: ${exposed}`));
	return toOwner(owner, member, exposed, call, context, facts, sink, 'Unknown resource');
}

/** `completion/complete` names a prompt or a resource template in `params.ref`. */
function byReference(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const text = call.params.text;
	const reference = call.params.members?.find((member) => member.key === 'ref')?.members ?? null;
	const type = stringMember(reference, 'type', text);
	const kind = type === null ? '' : decodeString(text, type.start, type.end);
	const member = stringMember(reference, kind === 'ref/resource' ? 'uri' : 'name', text);
	if (member === null) {
		return refuse(sink, mcpError(code.invalidParams, 'completion/complete needs params.ref with type and name or uri'));
	}
	const exposed = decodeString(text, member.start, member.end);
	if (kind === 'ref/resource') {
		const owner = context.naming.ownerOfUri(exposed);
		if (owner === null) return refuse(sink, mcpError(code.invalidParams, `Unknown resource: ${exposed}`));
		return toOwner(owner, member, exposed, call, context, facts, sink, 'Unknown resource');
	}
	return byNameAt(member, exposed, call, context, facts, sink);
}

function byNameAt(
	member: Member,
	exposed: string,
	call: Call,
	context: DispatchContext,
	facts: Facts,
	sink: Sink,
): Ticket {
	const owner = context.naming.ownerOfName(exposed);
	if (owner !== null) return toOwner(owner, member, exposed, call, context, facts, sink, 'Unknown prompt');
	if (context.naming.prefixed) return refuse(sink, mcpError(code.invalidParams, `Unknown prompt: ${exposed}`));
	const late = new LateTicket();
	context.owners.find('prompt', exposed, call, (found) => {
		if (late.cancelled) sink.fail(mcpError(code.cancelled, 'cancelled'));
		else if (found === null) sink.fail(mcpError(code.invalidParams, `Unknown prompt: ${exposed}`));
		else
			late.follow(
				toOwner({ target: found, name: exposed }, member, exposed, call, context, facts, sink, 'Unknown prompt'),
			);
	});
	return late;
}

function list(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const only = onlyLeg(context);
	if (only !== null && !context.naming.wrapped) return toLeg(only, call, facts, sink);
	const kind = listKinds[call.method];
	if (kind === undefined) throw new Error(`no list behind ${call.method}`);
	return mergeLists(kind, call, context, sink);
}

/** Follows a resource, or ends that. The set of connections is the client's own here, and so the follower. */
function subscribe(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const member = stringMember(call.params.members, 'uri', call.params.text);
	if (member === null) return refuse(sink, mcpError(code.invalidParams, `${call.method} needs params.uri, a string`));
	const exposed = decodeString(call.params.text, member.start, member.end);
	facts.mcpResourceType = 'resource';
	const owner = context.naming.ownerOfUri(exposed);
	if (owner === null) return refuse(sink, mcpError(code.invalidParams, `Unknown resource: ${exposed}`));
	facts.mcpTarget = owner.target;
	facts.mcpResource = owner.name;
	const { subscriptions } = context;
	const topic = { kind: 'resource', id: owner.name } as const;
	if (call.method === 'resources/unsubscribe') {
		subscriptions.remove(subscriptions, owner.target, topic);
		sink.done(emptyResult);
		return nothingToCancel;
	}
	subscriptions.add(subscriptions, owner.target, topic, (refusal) => {
		if (refusal === null) sink.done(emptyResult);
		else sink.fail(refusal);
	});
	return nothingToCancel;
}

/** Servers that log are told, those that join later too. Who is told with each call reads it from the caller. */
function setLevel(call: Call, context: DispatchContext, _facts: Facts, sink: Sink): Ticket {
	const member = stringMember(call.params.members, 'level', call.params.text);
	const level = member === null ? null : decodeString(call.params.text, member.start, member.end);
	if (level === null || !logLevels.includes(level)) {
		return refuse(sink, mcpError(code.invalidParams, `params.level must be one of ${logLevels.join(', ')}`));
	}
	context.upstreams.setLevel(level);
	sink.done(emptyResult);
	return nothingToCancel;
}

/** Levels of log notifications, the lowest first (RFC 5424). */
export const logLevels: readonly string[] = [
	...['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'],
];

const emptyResult = { text: Buffer.from('{}'), type: 'complete', stamped: false };

/** A method that this gateway does not know: a vendor's own, which only a single server can be meant for. */
function toOnly(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const only = onlyLeg(context);
	if (only === null) return refuse(sink, mcpError(code.methodNotFound, `Method not found: ${call.method}`));
	return toLeg(only, call, facts, sink);
}

function toOwner(
	owner: Owned,
	at: Member,
	exposed: string,
	call: Call,
	context: DispatchContext,
	facts: Facts,
	sink: Sink,
	unknown: string,
): Ticket {
	facts.mcpTarget = owner.target;
	facts.mcpResource = owner.name;
	const leg = context.upstreams.leg(owner.target);
	if (leg === undefined) return refuse(sink, mcpError(code.invalidParams, `${unknown}: ${exposed}`));
	const edits: readonly Edit[] =
		owner.name === exposed ? noEdits : [{ start: at.start, end: at.end, text: JSON.stringify(owner.name) }];
	const back = context.naming.wrapped ? withExposedUris(call.method, sink, context.naming, owner.target) : sink;
	return toLeg(leg, { ...call, edits, name: owner.name }, facts, back);
}

const noEdits: readonly Edit[] = [];

/** Sends the call as soon as the connection is known to stand. */
function toLeg(leg: Leg, call: Call, facts: Facts, sink: Sink): Ticket {
	facts.mcpTarget = leg.target.name;
	if (leg.upstream !== null && leg.state === 'ready') return leg.start(leg.upstream, call, sink);
	const late = new LateTicket();
	leg.whenKnown(() => {
		if (late.cancelled) sink.fail(mcpError(code.cancelled, 'cancelled'));
		else if (leg.upstream !== null && leg.state === 'ready') late.follow(leg.start(leg.upstream, call, sink));
		else sink.fail(unavailable(leg));
	});
	return late;
}

/** The error for a call to a target that is away. */
function unavailable(leg: Leg): McpError {
	const reason = leg.failure?.reason ?? 'it has not answered yet';
	return mcpError(code.internal, `target "${leg.target.name}" is not available: ${reason}`, leg.target.name);
}

function onlyLeg(context: DispatchContext): Leg | null {
	return context.upstreams.legs.length === 1 ? (context.upstreams.legs[0] ?? null) : null;
}

function refuse(sink: Sink, error: McpError): Ticket {
	sink.fail(error);
	return nothingToCancel;
}

function stringMember(members: readonly Member[] | null | undefined, key: string, text: Buffer): Member | null {
	for (const member of members ?? []) if (member.key === key && text[member.start] === 0x22) return member;
	return null;
}

/** The ticket of a call that could not be sent at once. */
class LateTicket implements Ticket {
	cancelled = false;
	private ticket: Ticket | null = null;

	follow(ticket: Ticket): void {
		this.ticket = ticket;
	}

	cancel(reason?: string): void {
		this.cancelled = true;
		this.ticket?.cancel(reason);
	}
}
