import type { Member } from '../../lib/json-scan.ts';
import type { Call, Caller } from '../model.ts';
import type { Envelope } from './envelope.ts';

/** A request as a call of `caller`. `meta`: the members of `_meta` that travel on. */
export function callOf(
	envelope: Envelope,
	caller: Caller,
	meta: readonly Member[],
	mirrored: Call['mirrored'] = null,
): Call {
	return {
		method: envelope.method,
		params: envelope.params,
		edits: [],
		meta,
		name: null,
		inputs: null,
		mirrored,
		wantsProgress: envelope.meta.some((member) => member.key === 'progressToken'),
		caller,
		origin: 'client',
	};
}

/** The client's progress token as JSON text. */
export function tokenOf(envelope: Envelope): Buffer | null {
	const member = envelope.meta.find((one) => one.key === 'progressToken');
	return member === undefined ? null : envelope.params.text.subarray(member.start, member.end);
}
