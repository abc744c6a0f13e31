import type { Random } from './random.ts';
import type { Asked } from './server-grammar.ts';

/** A request that has reached a server in memory. */
export interface Waiting {
	readonly asked: Asked;
	/** Answers as it should. Called again after `odd`, for what may still be without an answer. */
	right(): void;
	/** Answers with whatever the grammar gives. */
	odd(): void;
	/** Answers with the messages of the script; false where none is for it. */
	scripted(): boolean;
}

/** Where servers keep what reached them and what they noticed. */
export interface ServerLog {
	readonly random: Random;
	/** What no server may ever be sent. */
	readonly faults: string[];
	readonly waiting: Waiting[];
	/** Messages that servers have sent. */
	sent: number;
	/** What calls are answered with; null for servers without a script. */
	readonly script: readonly string[] | null;
}

/** What a server was sent, read; a fault is noted when it is no message. */
export function readSent(log: ServerLog, message: Buffer): { id?: unknown; method?: string } {
	try {
		const value = JSON.parse(message.toString()) as { jsonrpc?: unknown; id?: unknown; method?: string };
		if (value.jsonrpc !== '2.0') throw new Error('no jsonrpc');
		return value;
	} catch (fault) {
		log.faults.push(`a server was sent ${JSON.stringify(message.toString('latin1', 0, 2_000))}: ${String(fault)}`);
		return {};
	}
}

/** The messages of the script for a request; null where none is for it. */
export function scriptFor({ script }: ServerLog, { method, id }: Asked): Buffer[] | null {
	if (script === null || method !== 'tools/call') return null;
	return script.map((text) => Buffer.from(text.replaceAll('$id', String(id))));
}
