import type { Holder } from '../../http/held-bytes.ts';
import { isScanFault, type Member, scanJson } from '../../lib/json-scan.ts';
import { splice } from '../../lib/splice.ts';
import { code, mcpError } from '../errors.ts';
import type { Answer, Ask } from '../model.ts';
import { noticeText, requestText } from '../rpc-text.ts';

/** More questions at once are refused: a client answers them one by one. */
const maximumPending = 1000;

/**
 * Questions of servers that wait for the answer of one client. Each is put to the client under an id of the gateway's
 * own, so that two servers that count alike do not get each other's answers.
 */
export class ClientAsks {
	private pending: Map<string, Pending> | null = null;
	private nextId = 1;

	/** Questions that wait. */
	get size(): number {
		return this.pending?.size ?? 0;
	}

	/** Puts a question to the client. `send` carries messages to it. */
	put(ask: Ask, send: (message: Buffer) => unknown): void {
		this.pending ??= new Map();
		const { pending } = this;
		if (pending.size >= maximumPending) {
			return ask.answer({ error: mcpError(code.internal, 'too many requests wait for the client') });
		}
		const id = String(this.nextId++);
		const { params, token } = ownToken(ask.params, id);
		pending.set(id, { ask, token });
		let sent = false;
		ask.onWithdrawn(() => {
			if (!pending.delete(id) || !sent) return;
			send(noticeText('notifications/cancelled', Buffer.from(`{"requestId":${id}}`)));
		});
		if (!pending.has(id)) return;
		sent = true;
		send(requestText(id, ask.method, params));
	}

	/** The client answered. `id` is the JSON text of the response's id. Answers to nothing are dropped. */
	answered(id: string, answer: Answer): void {
		const pending = this.pending?.get(id);
		if (pending === undefined) return;
		this.pending?.delete(id);
		pending.ask.answer(answer);
	}

	/** The client reports progress on a question; false when it is on something else. `holder` counts what goes on. */
	progress(params: Buffer, holder: Holder | null = null): boolean {
		const scanned = scanJson(Buffer.from(params), {});
		if (isScanFault(scanned)) return false;
		const member = scanned.members?.find((one) => one.key === 'progressToken');
		if (member === undefined) return false;
		const key = scanned.text.toString('utf8', member.start, member.end);
		const pending = this.pending?.get(key.replaceAll('"', '').replace('ask-', ''));
		if (pending?.token === null || pending?.token === undefined) return false;
		const text = splice(scanned.text, [{ start: member.start, end: member.end, text: pending.token }]);
		pending.ask.progress(text, holder);
		return true;
	}

	/** The client has gone. */
	close(): void {
		const all = [...(this.pending?.values() ?? [])];
		this.pending?.clear();
		for (const { ask } of all) ask.answer({ error: mcpError(code.internal, 'the client has gone') });
	}
}

interface Pending {
	readonly ask: Ask;
	/** The server's progress token as JSON text, null for none. */
	readonly token: Buffer | null;
}

/** Servers choose tokens without knowing of each other; towards the client each question has one of its own. */
function ownToken(params: Buffer | null, id: string): { params: Buffer | null; token: Buffer | null } {
	if (params === null || !params.includes('progressToken')) return { params, token: null };
	const scanned = scanJson(params, { _meta: {} });
	if (isScanFault(scanned)) return { params, token: null };
	const find = (members: readonly Member[] | null | undefined, key: string) => members?.find((one) => one.key === key);
	const member = find(find(scanned.members, '_meta')?.members, 'progressToken');
	if (member === undefined) return { params, token: null };
	const token = scanned.text.subarray(member.start, member.end);
	return { params: splice(scanned.text, [{ start: member.start, end: member.end, text: `"ask-${id}"` }]), token };
}
