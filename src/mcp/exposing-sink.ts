import { decodeString, isScanFault, scanJson } from '../lib/json-scan.ts';
import { code, mcpError } from './errors.ts';
import type { LargeResult } from './large-result.ts';
import type { Ask, JsonText, McpError, Notice, Result, Sink } from './model.ts';
import type { Naming } from './names.ts';
import { type Change, changePlaces, placesOfMessage, placesOfResult } from './places.ts';

/** Why nothing can be looked for in a text. */
const unreadable =
	'cannot be looked through for URIs: it is no JSON, has a key twice, or more parts than are looked at';

/**
 * A sink that puts the client's URIs and ids into results and notifications before they go on: a client that reads
 * what a tool linked to must find its owner.
 */
export class ExposingSink implements Sink, Change {
	private readonly method: string;
	private readonly sink: Sink;
	private readonly naming: Naming;
	private readonly target: string;

	constructor(method: string, sink: Sink, naming: Naming, target: string) {
		this.method = method;
		this.sink = sink;
		this.naming = naming;
		this.target = target;
	}

	note(notice: Notice): void {
		const changed = changedNotice(notice, this);
		if (changed !== null) this.sink.note(changed);
	}

	ask(ask: Ask): void {
		if (ask.params === null) return this.sink.ask(ask);
		const params = changePlaces(ask.params, placesOfMessage(ask.method), this);
		if (params === null) return ask.answer({ error: mcpError(code.invalidParams, `these params ${unreadable}`) });
		this.sink.ask(params === ask.params ? ask : withParams(ask, params));
	}

	paused(): void {
		this.sink.paused?.();
	}

	done(result: Result): void {
		const places = placesOfResult(this.method, result.type);
		const text = places === null ? result.text : changePlaces(result.text, places, this);
		if (text === null) {
			return this.sink.fail(mcpError(code.internal, `the result of the server ${unreadable}`, this.target));
		}
		this.sink.done(text === result.text ? result : { ...result, text });
	}

	inPieces(result: LargeResult): readonly JsonText[] | null {
		// The servers of others must not be answered for: what is read as JSON here can be nothing but a result.
		const passable = placesOfResult(this.method, 'complete') === null ? result.members !== null : result.placeless;
		return passable ? (this.sink.inPieces?.(result) ?? null) : null;
	}

	pass(pieces: readonly JsonText[]): void {
		this.sink.pass?.(pieces);
	}

	fail(error: McpError): void {
		this.sink.fail(error);
	}

	change(leaf: 'uri' | 'task', value: string): string {
		return expose(this.naming, this.target, leaf, value);
	}
}

/** A notification of a server as clients may read it; null when it is about what they may not know. */
export function exposeNotice(notice: Notice, naming: Naming, target: string): Notice | null {
	if (naming.plain) return notice;
	if (notice.method === 'notifications/resources/updated' && naming.rules('resource', target) !== null) {
		const uri = stringIn(notice, 'uri');
		if (uri === null || naming.hides('resource', target, uri) !== null) return null;
	}
	return naming.wrapped ? changedNotice(notice, exposing(naming, target)) : notice;
}

/** Gives what servers write in the form that clients know. */
export function exposing(naming: Naming, target: string): Change {
	return { change: (leaf, value) => expose(naming, target, leaf, value) };
}

function expose(naming: Naming, target: string, leaf: 'uri' | 'task', value: string): string {
	return leaf === 'task' ? naming.exposeTask(target, value) : naming.exposeUri(target, value);
}

function withParams(ask: Ask, params: Ask['params']): Ask {
	return {
		method: ask.method,
		params,
		answer: (answer) => ask.answer(answer),
		progress: (progress, holder) => ask.progress(progress, holder),
		onWithdrawn: (then) => ask.onWithdrawn(then),
	};
}

/** null: its URIs cannot be told. */
function changedNotice(notice: Notice, change: Change): Notice | null {
	if (notice.params === null) return notice;
	const params = changePlaces(notice.params, placesOfMessage(notice.method), change);
	if (params === null) return null;
	return params === notice.params ? notice : { method: notice.method, params };
}

function stringIn(notice: Notice, key: string): string | null {
	const scanned = notice.params === null ? null : scanJson(notice.params, {});
	if (scanned === null || isScanFault(scanned)) return null;
	const member = scanned.members?.find((one) => one.key === key);
	if (member === undefined || scanned.text[member.start] !== 0x22) return null;
	return decodeString(scanned.text, member.start, member.end);
}
