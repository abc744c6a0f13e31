import { createHash } from 'node:crypto';
import { PackedReader, PackedWriter } from '../../lib/packed.ts';
import type { Seal } from '../../lib/seal.ts';

/** What the answers to a parked call must agree in with the call. */
export interface RequestBinding {
	/** Digest of the verified identity. */
	readonly principal: string;
	readonly method: string;
	/** The tool or prompt name or the URI, as the client wrote it; null when the method has none. */
	readonly name: string | null;
}

/** A parked call as its `requestState` tells of it. */
export interface RequestStateContent extends RequestBinding {
	/** Names the parked call. */
	readonly id: string;
	/** In milliseconds since 1970; from then on it is expired. */
	readonly expiresAt: number;
}

/**
 * Why a `requestState` finds no parked call. `foreign`: not one of ours, so perhaps the server's own, which travels on.
 * `mismatch`: ours, but for another principal, method or name.
 */
export type RequestStateFault = 'foreign' | 'expired' | 'mismatch';

/** Makes the `requestState` of a parked call. However long the name is, some 150 characters beside those of the id. */
export function sealState(content: RequestStateContent, seal: Seal): string {
	const writer = new PackedWriter();
	writer.byte(contentVersion);
	writer.text(content.id);
	writer.number(content.expiresAt);
	writer.bytes(digest(content));
	return seal.seal(writer.finish());
}

/** Finds the parked call of a `requestState` that came back with a call; `now` in milliseconds since 1970. */
export function openState(
	text: string,
	expected: RequestBinding,
	now: number,
	seal: Seal,
): { readonly id: string } | RequestStateFault {
	const packed = seal.unseal(text);
	if (typeof packed === 'string') return 'foreign';
	const reader = new PackedReader(packed);
	const version = reader.byte();
	const id = reader.text();
	const expiresAt = reader.number();
	const binding = reader.bytes();
	if (!reader.finish() || version !== contentVersion) return 'foreign';
	// Others do not even learn whether the call still waits.
	if (!binding.equals(digest(expected))) return 'mismatch';
	return now < expiresAt ? { id } : 'expired';
}

/** A digest, because a URI may be longer than what a client likes to carry back. */
function digest({ principal, method, name }: RequestBinding): Buffer {
	const hash = createHash('sha256');
	// JSON keeps the fields apart, so that no two bindings run together into one text.
	return hash.update(JSON.stringify([principal, method, name])).digest();
}

const contentVersion = 1;
