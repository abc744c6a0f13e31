import { cutText } from '../lib/cut.ts';
import { decodeString, type Member } from '../lib/json-scan.ts';
import type { Edit } from '../lib/splice.ts';
import type { Facts } from '../facts/facts.ts';
import { code, mcpError } from './errors.ts';
import type { DispatchContext } from './dispatch-context.ts';
import { ExposingSink } from './exposing-sink.ts';
import { type ListKind, listKinds } from './lists/list-kind.ts';
import { mergeLists } from './lists/merge.ts';
import type { Call, McpError, Sink, Ticket } from './model.ts';
import type { ItemType, Owned } from './names.ts';
import { isOwned } from './owners.ts';
import { withOwnTasks } from './related-tasks.ts';
import type { Leg } from './legs/leg.ts';

/**
 * Sends a call where it belongs: to the one server that owns the name, to all of them with the answers merged, or
 * nowhere. The table is the whole of the routing; a method that is not in it reaches a server only if there is
 * just one.
 */
export function dispatch(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	facts.mcpMethod = cutText(call.method);
	const route = Object.hasOwn(routes, call.method) ? routes[call.method] : undefined;
	if (route !== undefined) return route(call, context, facts, sink);
	return toOnly(call, context, facts, sink);
}

/** Whether a request of this method goes where its params say. */
export function isRouted(method: string): boolean {
	return Object.hasOwn(routes, method);
}

type Route = (call: Call, context: DispatchContext, facts: Facts, sink: Sink) => Ticket;

const routes: Readonly<Record<string, Route>> = {
	'tools/call': (call, context, facts, sink) => byName('tool', call, context, facts, sink),
	'prompts/get': (call, context, facts, sink) => byName('prompt', call, context, facts, sink),
	'resources/read': byUri,
	'resources/subscribe': subscribe,
	'resources/unsubscribe': subscribe,
	'completion/complete': byReference,
	'tasks/get': byTask,
	'tasks/result': byTask,
	'tasks/cancel': byTask,
	'tasks/update': byTask,
	'tools/list': (...a) => list(listKinds.tools, ...a),
	'prompts/list': (...a) => list(listKinds.prompts, ...a),
	'resources/list': (...a) => list(listKinds.resources, ...a),
	'resources/templates/list': (...a) => list(listKinds.templates, ...a),
	'tasks/list': listTasks,
	'logging/setLevel': setLevel,
};

const nothingToCancel: Ticket = { cancel() {} };

function byName(type: 'tool' | 'prompt', call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const member = stringMember(call.params.members, 'name', call.params.text);
	if (member === null) return refuse(sink, mcpError(code.invalidParams, `${call.method} needs params.name, a string`));
	facts.mcpResourceType = type;
	return byNameAt(type, member, call, context, facts, sink);
}

function byUri(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const member = stringMember(call.params.members, 'uri', call.params.text);
	if (member === null) return refuse(sink, mcpError(code.invalidParams, `${call.method} needs params.uri, a string`));
	facts.mcpResourceType = 'resource';
	return byUriAt(member, call, context, facts, sink);
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
	if (kind === 'ref/resource') return byUriAt(member, call, context, facts, sink);
	return byNameAt('prompt', member, call, context, facts, sink);
}

function byTask(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const member = stringMember(call.params.members, 'taskId', call.params.text);
	if (member === null)
		return refuse(sink, mcpError(code.invalidParams, `${call.method} needs params.taskId, a string`));
	const exposed = decodeString(call.params.text, member.start, member.end);
	facts.mcpResourceType = 'task';
	const owner = context.naming.ownerOfTask(exposed);
	if (owner === null) return refuse(sink, unknown('task', exposed));
	return toOwner('task', owner, member, exposed, call, context, facts, sink);
}

function byNameAt(
	type: 'tool' | 'prompt',
	member: Member,
	call: Call,
	context: DispatchContext,
	facts: Facts,
	sink: Sink,
): Ticket {
	const exposed = decodeString(call.params.text, member.start, member.end);
	const owner = context.naming.ownerOfName(type, exposed);
	if (owner !== null) return toOwner(type, owner, member, exposed, call, context, facts, sink);
	const late = new LateTicket();
	context.owners.find(type, exposed, call, (found) => {
		if (late.cancelled) sink.fail(mcpError(code.cancelled, 'cancelled'));
		else if (isOwned(found)) late.follow(toOwner(type, found, member, exposed, call, context, facts, sink));
		else {
			if (found.hidden !== null) facts.error = hiding(type, exposed, found.hidden);
			sink.fail(unknown(type, exposed, found.hint));
		}
	});
	return late;
}

function byUriAt(member: Member, call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const exposed = decodeString(call.params.text, member.start, member.end);
	const owner = context.naming.ownerOfUri(exposed);
	if (owner === null) return refuse(sink, unknown('resource', exposed));
	return toOwner('resource', owner, member, exposed, call, context, facts, sink);
}

function list(kind: ListKind, call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const only = onlyLeg(context);
	if (only === null || !context.naming.plain) return mergeLists(kind, call, context, sink);
	facts.mcpTarget = only.target.name;
	return context.catalog.own(kind, only, call, sink, (to) => toLeg(only, call, facts, to));
}

/** Nothing but their ids is changed in tasks. */
function listTasks(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	if (!context.naming.wrapped) return toOnly(call, context, facts, sink);
	return mergeLists(listKinds.tasks, call, context, sink);
}

/** Follows a resource, or ends that. The set of connections is the client's own here, and so the follower. */
function subscribe(call: Call, context: DispatchContext, facts: Facts, sink: Sink): Ticket {
	const member = stringMember(call.params.members, 'uri', call.params.text);
	if (member === null) return refuse(sink, mcpError(code.invalidParams, `${call.method} needs params.uri, a string`));
	const exposed = decodeString(call.params.text, member.start, member.end);
	facts.mcpResourceType = 'resource';
	const owner = context.naming.ownerOfUri(exposed);
	if (owner === null || isHidden('resource', owner, facts)) return refuse(sink, unknown('resource', exposed));
	noteOwner(owner, context, facts);
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
	type: ItemType | 'task',
	owner: Owned,
	at: Member,
	exposed: string,
	call: Call,
	context: DispatchContext,
	facts: Facts,
	sink: Sink,
): Ticket {
	noteOwner(owner, context, facts);
	const leg = context.upstreams.leg(owner.target);
	if (leg === undefined || isHidden(type, owner, facts)) return refuse(sink, unknown(type, exposed));
	const edits: readonly Edit[] =
		owner.name === exposed ? noEdits : [{ start: at.start, end: at.end, text: JSON.stringify(owner.name) }];
	const sent = { ...call, edits, name: owner.name };
	if (!context.naming.wrapped) return toLeg(leg, sent, facts, sink);
	const back = new ExposingSink(call.method, sink, context.naming, owner.target);
	return toLeg(leg, withOwnTasks(sent, context.naming, owner.target), facts, back);
}

const noEdits: readonly Edit[] = [];

function noteOwner({ target, name }: Owned, context: DispatchContext, facts: Facts): void {
	facts.mcpTarget = target;
	facts.mcpResource = cutText(name);
	facts.mcpCatalogue = context.findings.names;
}

/** Clients must not learn what they may not use; the operator must. */
function isHidden(type: ItemType | 'task', owner: Owned, facts: Facts): boolean {
	if (owner.hidden !== null) facts.error = hiding(type, owner.name, owner.hidden);
	return owner.hidden !== null;
}

function hiding(type: ItemType | 'task', name: string, reason: string): string {
	return `${type} "${cutText(name)}" is hidden: ${cutText(reason)}`;
}

function unknown(type: ItemType | 'task', exposed: string, hint = ''): McpError {
	return mcpError(code.invalidParams, `Unknown ${type}: ${exposed}${hint}`);
}

/** Sends the call as soon as the connection stands. */
function toLeg(leg: Leg, call: Call, facts: Facts, sink: Sink): Ticket {
	facts.mcpTarget = leg.target.name;
	return leg.start(call, sink);
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
