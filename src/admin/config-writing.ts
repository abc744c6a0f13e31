import type { Exchange } from '../http/exchange.ts';
import { isScanFault, scanJson } from '../lib/json-scan.ts';
import type { ConfigWrite, ConfigWritten } from './config-write.ts';
import { apiError, sendError, sendJson } from './replies.ts';
import type { ConfigErrorView } from './state.ts';
import { unmask } from './unmask.ts';
import { masked } from './mask.ts';

/** What a write needs to know of the gateway. */
export interface ConfigWriting {
	writeConfig: ((write: ConfigWrite) => Promise<ConfigWritten>) | null;
	isTrusted(exchange: Exchange): boolean;
}

/** Larger bodies are not decoded while others wait; what is larger is better edited as a file. */
const maximumBytes = 256 * 1024;

/**
 * Takes a whole configuration: a JSON object is merged into the file, a JSON string is its new text. `If-Match` with the
 * ETag of the document keeps two writers from undoing each other; without it the last one wins, as agentgateway's own UI
 * expects.
 */
export function writeConfig(exchange: Exchange, deps: ConfigWriting, mask: (value: unknown) => unknown): void {
	const { writeConfig: write } = deps;
	if (write === null) return sendError(exchange, 409, noFile);
	const tag = wantedTag(exchange.headers['if-match']);
	if (tag === undefined) return sendError(exchange, 400, badTag);
	const trusted = deps.isTrusted(exchange);
	exchange.body(maximumBytes, (body) => {
		if (!Buffer.isBuffer(body)) return sendError(exchange, body.status, apiError(body.message, tooLarge), body.headers);
		const fault = scanJson(body, {});
		if (isScanFault(fault))
			return sendError(exchange, 400, { ...noConfig, detail: `${fault.fault} at byte ${fault.at}` });
		const value = read(body);
		if (value === null) return sendError(exchange, 400, noConfig);
		const whole = (document: unknown) =>
			typeof value === 'string' ? textValue(value) : unmask(value, mask(document), document);
		write({ value: whole, tag, trusted }).then(
			(written) => answer(exchange, written),
			(error: unknown) =>
				sendError(exchange, 500, apiError('The configuration could not be written.', nothingChanged, String(error))),
		);
	});
}

function answer(exchange: Exchange, written: ConfigWritten): void {
	switch (written.outcome) {
		case 'applied': {
			const { needsRestart } = written;
			const reply = { status: 'success', message: 'Configuration written successfully', applied: true, needsRestart };
			return sendJson(exchange, 200, reply, undefined, ['etag', `"${written.tag}"`]);
		}
		case 'masked': {
			const places = written.paths.map((path) => (path === '' ? 'the text' : `\`${path}\``)).join(', ');
			return sendError(exchange, 422, apiError(`${masked} stands in ${places}, which is no value.`, writeValue));
		}
		case 'invalid':
			return refuse(exchange, 422, 'The configuration has errors; nothing was written.', written.problems);
		case 'refused':
			return refuse(
				exchange,
				409,
				`The configuration cannot come into effect; ${written.written ? 'the file could not be put back' : 'the file is as before'}.`,
				written.problems,
			);
		case 'unreadable':
			return refuse(exchange, 409, unreadable, written.problems);
		case 'stale':
			return sendError(exchange, 412, changed, ['etag', `"${written.tag}"`]);
		case 'stopping':
			return sendError(exchange, 503, written.written ? writtenLast : stopping, ['retry-after', '5']);
		case 'untrusted':
			return sendError(exchange, 403, untrusted(written));
		case 'unwritable':
			return sendError(exchange, 403, apiError(`The configuration file cannot be written: ${written.reason}.`));
	}
}

function refuse(exchange: Exchange, status: number, error: string, problems: readonly ConfigErrorView[]): void {
	const detail = problems
		.map(({ file, line, path, message }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`)
		.join('\n');
	sendJson(exchange, status, { ...apiError(error, problems[0]?.remedy ?? '', detail), problems });
}

/** null: any; undefined: not to be understood. */
function wantedTag(header: string | string[] | undefined): string | null | undefined {
	if (header === undefined || header === '*') return null;
	return typeof header === 'string' ? /^"([^"]*)"$/.exec(header.trim())?.[1] : undefined;
}

/** null: neither an object nor a text. The body was scanned: it is JSON, and not too deep for a text of its size. */
function read(body: Buffer): object | string | null {
	const value: unknown = JSON.parse(body.toString('utf8'));
	if (typeof value === 'string') return value;
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

function textValue(text: string): { value: string } | { unknown: string[] } {
	return text.includes(masked) ? { unknown: [''] } : { value: text };
}

const nothingChanged = 'Nothing has changed; edit the file.';
const stopping = apiError('The gateway is stopping; nothing has changed.', 'Write it again when it has started.');
const writtenLast = apiError(
	'The gateway is stopping; the file is written.',
	'It comes into effect with the next start.',
);
const tooLarge = 'Edit the file; the gateway takes it up by itself.';
const writeValue = 'Write the value. What the document shows masked keeps its value where it stays in its place.';
const unreadable =
	'The file has errors, and what of it should stay is not known; nothing was written. Mend it, or send its whole text as a JSON string.';
const noConfig = apiError(
	'The body is no configuration.',
	'Send the whole document as a JSON object, at most 128 levels deep and with no key twice, or the text of the file as a JSON string.',
);
const badTag = apiError('If-Match must be one strong ETag.', 'Send the ETag that the document came with.');
const changed = apiError(
	'The file has changed since the document was read.',
	'Read it again, and repeat the change; while the file has errors, mend it, or send a whole text without If-Match.',
);
const noFile = apiError(
	'The configuration does not stand in a file that can be written.',
	'Start the gateway with -f and the path of a file.',
);

function untrusted({ commands, secrets }: ConfigWritten & { outcome: 'untrusted' }) {
	const list = [...commands, ...secrets].map((one) => `\`${one}\``).join(', ');
	return apiError(
		commands.length > 0
			? `A command that is new may only come from who has shown the admin token: ${list}.`
			: `Variables and secrets in other places than before may only come from who has shown the admin token: ${list}.`,
		'Send `Authorization: Bearer …` with the token that ADMIN_TOKEN sets, open /ui/?token=… once, or edit the file.',
	);
}
