import type { Member } from '../../lib/json-scan.ts';
import type { Call, Caller, McpError, Notice } from '../model.ts';

/** What differs between the eras of servers. */
export interface Dialect {
	/** Whether the connection began with a handshake: then the server keeps state for it, and may ask in mid-call. */
	readonly handshake: boolean;
	/** Whether arguments of tools are mirrored in HTTP headers. */
	readonly mirrors: boolean;
	/** Members of `_meta` that each request carries, without braces; empty for none. */
	requestMeta(caller: Caller): string;
	/** Flat HTTP headers of a call. */
	headers(call: Call): readonly string[];
	/** Flat HTTP headers of notifications and of the listening stream. */
	readonly postHeaders: readonly string[];
	/** Why a call cannot be put to a server of this era; null when it can. */
	refusal(call: Call): McpError | null;
	/** Whether servers of this era know a client's notification. */
	takes(notice: Notice): boolean;
	/** Type of a result, and whether results carry it themselves. */
	resultType(result: Member, text: Buffer): { type: string; stamped: boolean };
	/** What to do beside forgetting, when a call is cancelled: a notification to send, or nothing. */
	cancelNotice(id: number, reason: string | undefined): Buffer | null;
}
