import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';

/** Seals small payloads into text that a client keeps for us and can neither read nor change. */
export interface Seal {
	/** The sealed payload as base64url text; equal payloads give different texts. */
	seal(plain: Buffer): string;
	/** The payload of a text that was sealed with the same key for the same purpose. */
	unseal(text: string): Buffer | SealFault;
	/** How many characters a payload of so many bytes takes when sealed. */
	sealedLength(bytes: number): number;
}

/**
 * Why a text cannot be opened. `malformed`: never a sealed text, or one of a later version. `forged`: it has the form
 * of one, but was sealed with another key or for another purpose, or was changed.
 */
export type SealFault = 'malformed' | 'forged';

export interface SealOptions {
	/** Longer texts are malformed, in characters. Default 8192. */
	readonly limit?: number;
	readonly random?: (bytes: number) => Buffer;
}

/**
 * AES-256-GCM under a key that HKDF-SHA256 (RFC 5869) derives from `key` for one purpose, so that what was sealed for
 * one cannot be used for another. `key` is 32 bytes. A text is base64url, without padding, of version (1 byte), nonce
 * (12, random), ciphertext and tag (16). Random nonces allow 2^32 seals for a key (NIST SP 800-38D, 8.3).
 */
export function createSeal(key: Buffer, purpose: string, options: SealOptions = {}): Seal {
	if (key.length !== 32) throw new Error('a key to seal with has 32 bytes');
	if (purpose === '') throw new Error('a seal needs a purpose');
	const derived = hkdfSync('sha256', key, Buffer.alloc(0), `agentgateway seal: ${purpose}`, 32);
	return new GcmSeal(createSecretKey(Buffer.from(derived)), options.limit ?? 8192, options.random ?? randomBytes);
}

class GcmSeal implements Seal {
	private readonly key: KeyObject;
	private readonly limit: number;
	private readonly random: (bytes: number) => Buffer;

	constructor(key: KeyObject, limit: number, random: (bytes: number) => Buffer) {
		this.key = key;
		this.limit = limit;
		this.random = random;
	}

	seal(plain: Buffer): string {
		const nonce = this.random(nonceLength);
		const cipher = createCipheriv(algorithm, this.key, nonce, tagOptions);
		cipher.setAAD(version);
		const sealed = Buffer.concat([version, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
		return sealed.toString('base64url');
	}

	unseal(text: string): Buffer | SealFault {
		if (text.length > this.limit) return 'malformed';
		const sealed = Buffer.from(text, 'base64url');
		// The decoder skips what is not base64url and ignores spare bits: many texts would stand for one payload.
		if (sealed.length < overhead || sealed[0] !== version[0] || sealed.toString('base64url') !== text)
			return 'malformed';
		const end = sealed.length - tagLength;
		const decipher = createDecipheriv(algorithm, this.key, sealed.subarray(1, bodyStart), tagOptions);
		decipher.setAAD(version);
		decipher.setAuthTag(sealed.subarray(end));
		const plain = decipher.update(sealed.subarray(bodyStart, end));
		try {
			// In this mode nothing comes after `update`; `final` only checks the tag.
			decipher.final();
		} catch {
			return 'forged';
		}
		return plain;
	}

	sealedLength(bytes: number): number {
		return Math.ceil(((overhead + bytes) * 4) / 3);
	}
}

const algorithm = 'aes-256-gcm';
const version = Buffer.from([1]);
const nonceLength = 12;
const tagLength = 16;
const tagOptions = { authTagLength: tagLength };
const bodyStart = version.length + nonceLength;
const overhead = bodyStart + tagLength;
