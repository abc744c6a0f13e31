import type { Member } from '../../lib/json-scan.ts';

/** What a client says of itself is kept for as long as its session, told to each server, and looked into. */
const maximumBytes = 64 * 1024;
const inMeta = /^io\.modelcontextprotocol\/client/;

/** What is wrong with what a client says of itself, in a handshake or in `_meta`; null when nothing is. */
export function selfFault(method: string, params: readonly Member[], meta: readonly Member[]): string | null {
	for (const member of meta) if (isLarge(member) && inMeta.test(member.key)) return tooLarge(`_meta["${member.key}"]`);
	if (method !== 'initialize') return null;
	for (const member of params) if (isLarge(member)) return tooLarge(member.key.slice(0, 64));
	return null;
}

function isLarge({ start, end }: Member): boolean {
	return end - start > maximumBytes;
}

function tooLarge(what: string): string {
	return `params.${what} has more than ${maximumBytes} bytes`;
}
