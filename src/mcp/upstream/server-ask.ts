import type { Holder } from '../../http/held-bytes.ts';
import { errorText } from '../errors.ts';
import type { Answer, Ask, JsonText } from '../model.ts';

/** Sends bytes to the server that asked. */
export interface AskOwner {
	/** `holder` counts them until the server has taken them. */
	post(message: Buffer, holder?: Holder | null): void;
	/** The question needs no answer any more. */
	settled(ask: ServerAsk): void;
}

/** A request of a server to its client. */
export class ServerAsk implements Ask {
	readonly method: string;
	readonly params: JsonText | null;
	/** The server's id, as JSON text. */
	readonly id: string;
	/** The call in whose middle it came; `any`: one of those under way, nobody can tell which; null: outside calls. */
	readonly call: object | 'any' | null;
	private readonly owner: AskOwner;
	private open = true;
	private withdrawn: (() => void) | null = null;

	constructor(owner: AskOwner, id: string, method: string, params: JsonText | null, call: object | 'any' | null) {
		this.owner = owner;
		this.id = id;
		this.method = method;
		this.params = params;
		this.call = call;
	}

	answer(answer: Answer): void {
		if (!this.close()) return;
		const head = `{"jsonrpc":"2.0","id":${this.id},`;
		const [key, body] = 'result' in answer ? ['"result":', answer.result] : ['"error":', errorText(answer.error)];
		this.owner.post(Buffer.concat([Buffer.from(head + key), body, closing]), answer.holder);
	}

	progress(params: JsonText, holder?: Holder | null): void {
		if (!this.open) return;
		this.owner.post(Buffer.concat([progressHead, params, closing]), holder);
	}

	onWithdrawn(then: () => void): void {
		if (this.open) this.withdrawn = then;
		else then();
	}

	/** The server took it back, or its call is over: no answer is wanted. */
	withdraw(): void {
		if (this.close()) this.withdrawn?.();
	}

	private close(): boolean {
		if (!this.open) return false;
		this.open = false;
		this.owner.settled(this);
		return true;
	}
}

const closing = Buffer.from('}');
const progressHead = Buffer.from('{"jsonrpc":"2.0","method":"notifications/progress","params":');
