import type { Facts } from '../../facts/facts.ts';
import type { Holder } from '../../http/held-bytes.ts';
import type { Member } from '../../lib/json-scan.ts';
import type { Connections } from '../connections/connections.ts';
import { isRouted, logLevels } from '../dispatch.ts';
import { code, mcpError, tooMuch } from '../errors.ts';
import { type Greeting, greet } from '../greeting.ts';
import { interactive } from '../asks/interactive.ts';
import { askingMethods } from '../legs/lanes.ts';
import { missingTarget } from '../missing.ts';
import type { Caller, McpError, Result } from '../model.ts';
import type { Session } from '../sessions/session.ts';
import { callOf, tokenOf } from './call-of.ts';
import { anonymous } from './callers.ts';
import type { ReplyChannel } from './channel.ts';
import { type Envelope, stringParam } from './envelope.ts';
import { InputRounds } from './input-rounds.ts';
import { codecOf } from './legacy-codec.ts';
import { CallReply } from './reply.ts';

/** Versions with the `initialize` handshake that clients may speak, newest first. */
export const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

export interface LegacyDialogueOptions {
	/** The gateway's own version. */
	readonly version: string;
	/** More calls under way in one session are refused. */
	readonly maximumCalls: number;
}

/** What clients of the revisions 2024-11-05 to 2025-11-25 say in a session, whatever carries it. */
export class LegacyDialogue {
	private readonly options: LegacyDialogueOptions;
	/** Who opened a session last. */
	private last: Caller | null = null;

	constructor(options: LegacyDialogueOptions) {
		this.options = options;
	}

	/** Who opens a session with this `initialize`; one object for all who look alike in a row. */
	openedBy(envelope: Envelope): Caller {
		const caller = openingCaller(envelope);
		const { last } = this;
		const info = last?.clientInfo ?? null;
		const sameInfo = caller.clientInfo === null ? info === null : info?.equals(caller.clientInfo) === true;
		if (last === null || !sameInfo || !last.capabilities.equals(caller.capabilities)) this.last = caller;
		return this.last ?? caller;
	}

	/**
	 * Answers `initialize` once the targets have been heard. `done` gets the result, or the error of a strict backend
	 * whose targets are away. `shown` are the capabilities that this client is told of.
	 */
	greet(
		connections: Connections,
		protocolVersion: string,
		done: (answer: Result | McpError) => void,
		shown: (capabilities: Buffer) => Buffer = (all) => all,
	): void {
		const { upstreams, federation } = connections;
		upstreams.whenSettled(() => {
			const missing = missingTarget(upstreams, federation.refuseWhenMissing);
			if (missing !== null) return done(missing);
			const greeting = greet(upstreams, federation.naming, this.options.version);
			done(initializeResult({ ...greeting, capabilities: shown(greeting.capabilities) }, protocolVersion));
		});
	}

	/** Starts a request of a session; its answer comes on the channel. */
	request(envelope: Envelope, session: Session, channel: ReplyChannel, facts: Facts): void {
		const { id } = envelope;
		if (id === null) throw new Error('a request without id');
		const codec = codecOf(envelope, session, session.connections.federation.naming.plain);
		const reply = new CallReply(channel, id, tokenOf(envelope), codec, facts, session);
		if (envelope.method === 'ping') {
			facts.mcpMethod = 'ping';
			return reply.done(emptyResult);
		}
		if (newerMethods.has(envelope.method)) {
			return reply.fail(mcpError(code.methodNotFound, `Method not found: ${envelope.method}`));
		}
		const key = id.toString('latin1');
		if (session.calls.get(key) !== undefined) {
			return reply.fail(mcpError(code.invalidRequest, 'a request with this id is still open in this session'));
		}
		if (session.calls.size >= this.options.maximumCalls) return reply.fail(tooMuch(tooManyCalls));
		session.calls.add(key, reply);
		reply.ended = () => session.calls.delete(key);
		const call = callOf(envelope, session.caller, legacyMeta(envelope));
		if (envelope.method === 'logging/setLevel') rememberLevel(session, envelope);
		if (!askingMethods.has(call.method)) return reply.follow(session.connections.start(call, facts, reply));
		const rounds = new InputRounds(call, reply, session.connections, facts);
		reply.follow(rounds);
		rounds.begin();
	}

	/** `holder` counts what goes on; null: nobody does. */
	notification(envelope: Envelope, session: Session, holder: Holder | null): void {
		if (envelope.method === 'notifications/initialized') return;
		const { text, start, end, members } = envelope.params;
		if (envelope.method === 'notifications/cancelled') {
			const id = members?.find((member) => member.key === 'requestId');
			// For logs; what a server does not take would hold all of it.
			const reason = stringParam(envelope, 'reason')?.slice(0, maximumReason);
			if (id !== undefined) session.calls.get(text.toString('latin1', id.start, id.end))?.cancel(reason);
			return;
		}
		// Without an id it is no request, but some servers run it all the same: past names, rules and owners.
		if (isRouted(envelope.method)) return;
		const params = text.subarray(start, end);
		if (envelope.method === 'notifications/progress' && session.asks.progress(params, holder)) return;
		session.connections.notify({ method: envelope.method, params, holder });
	}

	/** The client's answer to a question of a server. `holder` as in `notification`. */
	response(envelope: Envelope, session: Session, holder: Holder | null): void {
		if (envelope.id === null || envelope.answer === null) return;
		session.asks.answered(envelope.id.toString('latin1'), { ...envelope.answer, holder });
	}
}

/** Characters of the reason for which a call is taken back. */
const maximumReason = 1000;

/** Methods of 2026-07-28, which a server behind may know although this client does not. */
const newerMethods: ReadonlySet<string> = new Set(['server/discover', 'subscriptions/listen', 'tasks/update']);

/** The version to speak with a client that asks for `asked`: that one if it is known, else the newest. */
export function chooseVersion(envelope: Envelope): string {
	const asked = stringParam(envelope, 'protocolVersion');
	return asked !== null && legacyVersions.includes(asked) ? asked : (legacyVersions[0] ?? '');
}

/** Who opens a session with this `initialize`. */
function openingCaller(envelope: Envelope): Caller {
	const text = envelope.params.text;
	const part = (key: string) => {
		const member = envelope.params.members?.find((one: Member) => one.key === key);
		return member !== undefined && text[member.start] === 0x7b
			? Buffer.from(text.subarray(member.start, member.end))
			: null;
	};
	const capabilities = part('capabilities') ?? Buffer.from('{}');
	return {
		principal: anonymous,
		clientInfo: part('clientInfo'),
		capabilities,
		logLevel: null,
		handshake: true,
		interactive: interactive(capabilities),
	};
}

/** Members of `_meta` that travel on. */
export function legacyMeta({ meta }: Envelope): readonly Member[] {
	return meta.filter((member) => member.key !== 'progressToken');
}

/** Servers without sessions are told the level with each call. A level that is none is refused where it goes. */
function rememberLevel(session: Session, envelope: Envelope): void {
	const logLevel = stringParam(envelope, 'level');
	if (logLevel !== null && logLevels.includes(logLevel)) session.caller = { ...session.caller, logLevel };
}

function initializeResult(greeting: Greeting, version: string): Result {
	const tail = greeting.instructions === null ? '}' : `,"instructions":${JSON.stringify(greeting.instructions)}}`;
	const text = Buffer.concat([
		Buffer.from(`{"protocolVersion":${JSON.stringify(version)},"capabilities":`),
		greeting.capabilities,
		Buffer.from(',"serverInfo":'),
		greeting.serverInfo,
		Buffer.from(tail),
	]);
	return { text, type: 'complete', stamped: false };
}

const tooManyCalls = 'too many calls are under way in this session';
const emptyResult: Result = { text: Buffer.from('{}'), type: 'complete', stamped: false };
