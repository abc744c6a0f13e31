import type { Message } from './check-reply.ts';

/** Counts what a client over stdio has asked and been answered, by the id as JSON text. */
export class Lines {
	readonly faults: string[] = [];
	/** Ids of what servers have asked, as JSON text. */
	readonly questions: string[] = [];
	/** All messages with the id; answers must not be more. */
	private readonly seen = new Map<string, number>();
	/** An answer without id came since the last line was sent. */
	private refused = false;
	private readonly waiting = new Map<string, number>();
	/** What was sent, for the report. */
	readonly texts = new Map<string, string>();

	/** Requests without an answer. */
	get open(): number {
		return this.waiting.size;
	}

	get unanswered(): string[] {
		return [...this.waiting.keys()].map((key) => this.texts.get(key) ?? key);
	}

	/** The client sends a line; undefined: it is no JSON. Gives the id under which an answer is awaited. */
	sent(value: unknown): string | null {
		this.refused = false;
		if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
		const { jsonrpc, id, method, params } = value as Message & { params?: { requestId?: unknown } | null };
		// Who takes a request back wants no answer to it.
		if (method === 'notifications/cancelled') this.waiting.delete(JSON.stringify(params?.requestId));
		if (id === undefined) return null;
		const key = JSON.stringify(id);
		this.seen.set(key, (this.seen.get(key) ?? 0) + 1);
		if (jsonrpc !== '2.0' || typeof method !== 'string' || !Number.isSafeInteger(id)) return null;
		// Lasts as long as its client.
		if (method === 'subscriptions/listen') return null;
		this.waiting.set(key, (this.waiting.get(key) ?? 0) + 1);
		this.texts.set(key, JSON.stringify(value).slice(0, 600));
		return key;
	}

	/** The line has been read. One that is refused at once may be answered without its id, such as when that is `1.0`. */
	taken(key: string | null): void {
		if (key !== null && this.refused) this.answered(key);
	}

	/** The gateway has written a line. */
	came({ id, method }: Message): void {
		if (method !== undefined) {
			if (id !== undefined) this.questions.push(JSON.stringify(id));
			return;
		}
		if (id === null) {
			this.refused = true;
			return;
		}
		const key = JSON.stringify(id);
		const left = (this.seen.get(key) ?? 0) - 1;
		if (left < 0) this.faults.push(`more answers to ${key} than messages`);
		if (left <= 0) this.seen.delete(key);
		else this.seen.set(key, left);
		this.answered(key);
	}

	private answered(key: string): void {
		const open = (this.waiting.get(key) ?? 1) - 1;
		if (open === 0) {
			this.waiting.delete(key);
			this.texts.delete(key);
		} else this.waiting.set(key, open);
	}
}
