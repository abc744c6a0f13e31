import { decodeString, isScanFault, type Look, type Member, scanJson } from '../lib/json-scan.ts';
import { type Edit, splice } from '../lib/splice.ts';

/**
 * What stands at a place: a resource's URI, one that is a link only in a `resource_link`, the id of a task, or requests
 * to the client by keys of the server's choice.
 */
type Leaf = 'uri' | 'link' | 'task' | 'asks';

/** A tree of members down to what stands there. */
interface Place {
	readonly [key: string]: Place | Leaf;
}

/** Where in a text the URIs and ids are that clients know in another form than servers. */
export interface Places {
	readonly tree: Place;
	/** What the scanner must look into. */
	readonly look: Look;
}

const related: Place = { 'io.modelcontextprotocol/related-task': { taskId: 'task' } };
/** The page of an app (MCP Apps), in the form of today and in the flat one of before. */
const app: Place = { ui: { resourceUri: 'uri' }, 'ui/resourceUri': 'uri' };
const block: Place = { uri: 'link', resource: { uri: 'uri' } };
/** The content of a message: one block, or several; the result of a tool among them has blocks of its own. */
const blocks: Place = { ...block, '[]': { ...block, content: { '[]': block } } };
const toolResult: Place = {
	content: { '[]': block },
	task: { taskId: 'task' },
	inputRequests: 'asks',
	_meta: { ...app, ...related },
};
const task: Place = { taskId: 'task', result: toolResult, inputRequests: 'asks', _meta: related };
const sampling: Place = { messages: { '[]': { content: blocks } }, _meta: related };

/** Results, by the method of the request. */
const results: Readonly<Record<string, Places>> = {
	'tools/call': placesIn(toolResult),
	'prompts/get': placesIn({ messages: { '[]': { content: blocks } }, inputRequests: 'asks' }),
	'resources/read': placesIn({ contents: { '[]': { uri: 'uri' } }, inputRequests: 'asks' }),
	'tasks/get': placesIn(task),
	'tasks/result': placesIn(toolResult),
	'tasks/cancel': placesIn(task),
};

/** A result that is a task, whatever was asked. */
const taskResult = placesIn(task);

/** Params of what servers send: notifications, and requests to the client. */
const messages: Readonly<Record<string, Places>> = {
	'notifications/resources/updated': placesIn({ uri: 'uri', _meta: related }),
	'notifications/tasks/status': placesIn(task),
	'notifications/tasks': placesIn(task),
	'sampling/createMessage': placesIn(sampling),
};

const anyMessage = placesIn({ _meta: related });

/** A request to the client within a result; what no other kind has does no harm to look for. */
const askPlaces = placesIn({ params: sampling });

/** The keys, at whatever depth, of which one stands at each place in a result. */
export const placeNames: ReadonlySet<string> = new Set(
	[...Object.values(results), taskResult, askPlaces].flatMap(({ tree }) => namesIn(tree)),
);

/** Items of lists, beside what names them. */
export const toolItem = placesIn({ _meta: app });

/** What clients say of tasks in the `_meta` of requests. */
export const requestMeta = placesIn({
	_meta: { ...related, 'io.modelcontextprotocol/relatedTaskIds': { '[]': 'task' } },
});

/** Where a result holds URIs and ids; null: nowhere. `type` is the result's own. */
export function placesOfResult(method: string, type: string): Places | null {
	if (type === 'task') return taskResult;
	return Object.hasOwn(results, method) ? (results[method] ?? null) : null;
}

/** Where the params of a message from a server hold them. */
export function placesOfMessage(method: string): Places {
	return Object.hasOwn(messages, method) ? (messages[method] ?? anyMessage) : anyMessage;
}

/** Gives the other form of what stands at a place. */
export interface Change {
	change(leaf: 'uri' | 'task', value: string): string;
}

/** More members where places may be are not looked at: it would hold up everybody else. */
const maximumLookedAt = 50_000;

/**
 * An object text with what stands at the places changed; the text itself when nothing does. null when there is more than
 * is looked at, or a key twice where places may be: what readers make of that differs, and one of them would be sent to
 * another server.
 */
export function changePlaces(text: Buffer, places: Places, change: Change): Buffer | null {
	return mayHold(text) ? rewritePlaces(text, places, change) : text;
}

/** The same for a text that is known to name something. */
export function rewritePlaces(text: Buffer, places: Places, change: Change): Buffer | null {
	const scanned = scanJson(text, places.look, maximumLookedAt);
	if (isScanFault(scanned)) return null;
	const edits: Edit[] = [];
	if (!collect(scanned.members, places.tree, scanned.text, change, edits)) return null;
	return edits.length === 0 ? text : splice(scanned.text, edits);
}

/** The edits of members that were looked into, in rising order. Not for places where questions may stand. */
export function editsAt(members: readonly Member[] | null, places: Places, text: Buffer, change: Change): Edit[] {
	const edits: Edit[] = [];
	collect(members, places.tree, text, change, edits);
	return edits;
}

/** False: a question in it cannot be looked into. */
function collect(
	members: readonly Member[] | null,
	place: Place,
	text: Buffer,
	change: Change,
	edits: Edit[],
): boolean {
	for (const member of members ?? []) {
		const inner = Object.hasOwn(place, member.key) ? place[member.key] : place['[]'];
		if (inner === undefined) continue;
		if (typeof inner !== 'string') {
			if (!collect(member.members, inner, text, change, edits)) return false;
		} else if (inner === 'asks') {
			if (!collectAsks(member.members, text, change, edits)) return false;
		} else if (text[member.start] === 0x22 && (inner !== 'link' || isLink(members, text))) {
			const value = decodeString(text, member.start, member.end);
			const changed = change.change(inner === 'task' ? 'task' : 'uri', value);
			if (changed !== value) edits.push({ start: member.start, end: member.end, text: JSON.stringify(changed) });
		}
	}
	return true;
}

function collectAsks(members: readonly Member[] | null, text: Buffer, change: Change, edits: Edit[]): boolean {
	for (const { start, end } of members ?? []) {
		const ask = Buffer.from(text.subarray(start, end));
		const changed = rewritePlaces(ask, askPlaces, change);
		if (changed === null) return false;
		if (changed !== ask) edits.push({ start, end, text: changed });
	}
	return true;
}

function isLink(members: readonly Member[] | null, text: Buffer): boolean {
	const type = members?.find(({ key }) => key === 'type');
	return type !== undefined && decodeString(text, type.start, type.end) === 'resource_link';
}

function namesIn(tree: Place): string[] {
	return Object.entries(tree).flatMap(([key, place]) => {
		if (typeof place !== 'string') return namesIn(place);
		// What is in the requests that stand there is a tree of its own.
		return place === 'asks' ? [] : [key];
	});
}

function placesIn(tree: Place): Places {
	return { tree, look: lookOf(tree) };
}

function lookOf(tree: Place): Look {
	const look: Record<string, Look> = {};
	for (const [key, place] of Object.entries(tree)) {
		if (typeof place !== 'string') look[key] = lookOf(place);
		else if (key === '[]' || place === 'asks') look[key] = {};
	}
	return look;
}

/** Beginnings of the keys above, as they stand in a text; escapes could spell one in another way. */
const keys = ['"uri"', '"ui', '"taskId"', '\\u00'].map((key) => Buffer.from(key));
const anyKey = /["\\](?:uri"|ui|taskId"|u00)/;
/** Up to here an expression over the text is the quickest way to look for all keys at once. */
const shortBytes = 16 * 1024;

/**
 * Whether a text may hold any of the places: most hold none, and looking is far cheaper than scanning. Measured for
 * long texts: an image's Base64 is passed over 30 times quicker key by key, JSON within JSON twice as quick at once.
 */
function mayHold(text: Buffer): boolean {
	if (text.length <= shortBytes || hasManyQuotes(text)) return anyKey.test(text.toString('latin1'));
	return keys.some((key) => text.includes(key));
}

function hasManyQuotes(text: Buffer): boolean {
	let quotes = 0;
	const from = text.length >> 1;
	for (let at = from; at < from + 1024; at++) if (text[at] === 0x22) quotes++;
	return quotes > 16;
}
