import { type Envelope } from './envelope.ts';
import { metaKeys, metaMember } from './callers.ts';
import { modernVersions } from './modern-checks.ts';

/**
 * Which era of clients a POSTed message belongs to. The body decides, the header is a cross-check: a `_meta` claim
 * means modern even when it is malformed, so that a broken modern client is told so instead of being taken for an
 * old one.
 */
export function classify(envelope: Envelope, versionHeader: string | null): 'legacy' | 'modern' {
	if (envelope.kind === 'response') return 'legacy';
	if (metaMember(envelope, metaKeys.version) !== undefined) return 'modern';
	if (envelope.method === 'initialize') return 'legacy';
	return versionHeader !== null && versionHeader >= (modernVersions[0] ?? '') ? 'modern' : 'legacy';
}
