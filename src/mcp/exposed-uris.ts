import { decodeString, isScanFault, type Look, type Member, scanJson } from '../lib/json-scan.ts';
import { type Edit, splice } from '../lib/splice.ts';
import type { Ask, McpError, Notice, Result, Sink } from './model.ts';
import type { Naming } from './names.ts';

/** An object whose `uri` is that of a resource. */
const resource: Look = {};
/** A block of content: a `resource_link` has a `uri` itself, an embedded resource inside. */
const block: Look = { resource };
/** The content of a prompt's message: one block, or several. */
const blocks: Look = { resource, '[]': block };

/** Where the results of a method hold URIs. */
const places: Readonly<Record<string, Look>> = {
	'resources/read': { contents: { '[]': resource } },
	'tools/call': { content: { '[]': block } },
	'prompts/get': { messages: { '[]': { content: blocks } } },
};

/**
 * A sink that puts the client's URIs into results before they go on: a client that reads what a tool linked to must
 * find its owner. Methods whose results hold no URIs get their own sink back.
 */
export function withExposedUris(method: string, sink: Sink, naming: Naming, target: string): Sink {
	const look = Object.hasOwn(places, method) ? places[method] : undefined;
	return look === undefined ? sink : new ExposingSink(sink, look, naming, target);
}

class ExposingSink implements Sink {
	private readonly sink: Sink;
	private readonly look: Look;
	private readonly naming: Naming;
	private readonly target: string;

	constructor(sink: Sink, look: Look, naming: Naming, target: string) {
		this.sink = sink;
		this.look = look;
		this.naming = naming;
		this.target = target;
	}

	note(notice: Notice): void {
		this.sink.note(notice);
	}

	ask(ask: Ask): void {
		this.sink.ask(ask);
	}

	done(result: Result): void {
		// Most results hold none; looking for the word costs next to nothing.
		if (!result.text.includes('"uri"')) return this.sink.done(result);
		const scanned = scanJson(result.text, this.look);
		// It was found to be JSON when it came; what is doubled in it is passed on as it is.
		if (isScanFault(scanned)) return this.sink.done(result);
		const edits: Edit[] = [];
		for (const uri of urisIn(scanned.members, this.look, scanned.text)) {
			const exposed = this.naming.exposeUri(this.target, decodeString(scanned.text, uri.start, uri.end));
			edits.push({ start: uri.start, end: uri.end, text: JSON.stringify(exposed) });
		}
		edits.sort((one, other) => one.start - other.start);
		this.sink.done({ ...result, text: splice(scanned.text, edits) });
	}

	fail(error: McpError): void {
		this.sink.fail(error);
	}
}

/** The `uri` members in the places that were looked into. */
function* urisIn(members: readonly Member[] | null, look: Look, text: Buffer): Iterable<Member> {
	for (const member of members ?? []) {
		const inner = Object.hasOwn(look, member.key) ? look[member.key] : look['[]'];
		if (inner === undefined) continue;
		const uri = member.members?.find(({ key, start }) => key === 'uri' && text[start] === 0x22);
		if (uri !== undefined && (inner === resource || isLink(member, text))) yield uri;
		yield* urisIn(member.members, inner, text);
	}
}

function isLink({ members }: Member, text: Buffer): boolean {
	const type = members?.find(({ key }) => key === 'type');
	return type !== undefined && text.toString('latin1', type.start, type.end) === '"resource_link"';
}
