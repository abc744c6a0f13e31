import { decodeString } from '../../lib/json-scan.ts';
import type { Call } from '../model.ts';
import { memberOf, textOf } from './message.ts';

/** The tool's name at the server. */
export function toolOf(call: Call): string {
	if (call.name !== null) return call.name;
	const member = memberOf(call.params.members, 'name');
	const { text } = call.params;
	return member !== null && text[member.start] === 0x22 ? decodeString(text, member.start, member.end) : '';
}

/** Its arguments; null when there are none. */
export function argumentsOf(call: Call): Buffer | null {
	const member = memberOf(call.params.members, 'arguments');
	return member === null ? null : textOf(call.params, member);
}
