import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import { withoutMembers } from '../../lib/without-members.ts';
import { code } from '../errors.ts';
import type { Answer, Ask, JsonText, McpError } from '../model.ts';

/**
 * What a server of the old kind wants its user to do in a browser before it runs a call at all: it refuses the call with
 * -32042 and names the URLs in the error's data (MCP 2025-11-25, "URL Elicitation Required"). null for other errors.
 */
export function wantedUrls(error: McpError): JsonText[] | null {
	if (error.code !== code.urlElicitationRequired || error.data === null) return null;
	const scanned = scanJson(Buffer.from(error.data), { elicitations: { '[]': {} } });
	if (isScanFault(scanned)) return null;
	const list = scanned.members?.find(({ key }) => key === 'elicitations')?.members ?? [];
	const wanted = list
		.filter(({ start }) => scanned.text[start] === 0x7b)
		.map(({ start, end }) => withoutMembers(scanned.text.subarray(start, end), serverIds));
	return wanted.length === 0 ? null : wanted;
}

/** Such an id has no meaning outside the server's session. */
const serverIds: ReadonlySet<string> = new Set(['elicitationId']);

/** Asks the user to open a URL. Nobody but the gateway waits for the answer. */
export class UrlAsk implements Ask {
	readonly method = 'elicitation/create';
	readonly params: JsonText;
	private readonly answered: (accepted: boolean) => void;

	constructor(params: JsonText, answered: (accepted: boolean) => void) {
		this.params = params;
		this.answered = answered;
	}

	answer(answer: Answer): void {
		this.answered('result' in answer && isAccepted(answer.result));
	}

	progress(): void {}

	onWithdrawn(): void {}
}

function isAccepted(result: JsonText): boolean {
	const scanned = scanJson(Buffer.from(result), {});
	const action = isScanFault(scanned) ? undefined : scanned.members?.find(({ key }) => key === 'action');
	return action !== undefined && result.toString('latin1', action.start, action.end) === '"accept"';
}
