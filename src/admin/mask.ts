/** Stands where a secret was. */
export const masked = '<redacted>';

/**
 * A copy of a JSON-like value without its secrets: members with telling names, every `env` value, credentials in URLs
 * and command lines, and each of `secrets` wherever it stands. A value that only refers to the environment
 * (`$NAME`, `${NAME}`) stays, because it says nothing.
 */
export function maskSecrets<T>(value: T, secrets: readonly string[] = []): T {
	return mask(value, secretsOf(value, secrets)) as T;
}

/** Masks texts as `maskSecrets` would if they stood in `value`, such as what a child with this `env` prints. */
export function maskerFor(value: unknown): (text: string) => string {
	const secrets = secretsOf(value, []);
	return (text) => maskText(text, secrets);
}

function secretsOf(value: unknown, more: readonly string[]): readonly string[] {
	const known = new Set(more.filter(isWorthSearching));
	collectEnvironment(value, known);
	// Longest first, so that one secret inside another leaves no rest.
	return [...known].sort((a, b) => b.length - a.length);
}

/** `token`, `adminToken`, `X-Api-Key` …, but not `key`, `tokenizer` or `author`. */
const secretName = new RegExp(
	[
		'(?:^|[-_.]|[a-z](?=[A-Z]))',
		'(?:authorization|cookie|credentials?|pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|bearer)$',
		'|(?:api|access|auth|client|encryption|private|session|shared|signing|ssh)[-_.]?(?:key|secret|token)s?$',
	].join(''),
	'i',
);

const reference = /^\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})$/;

function mask(value: unknown, secrets: readonly string[]): unknown {
	if (typeof value === 'string') return maskText(value, secrets);
	if (Array.isArray(value)) return maskList(value, secrets);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, member]) => {
			if (name === 'env') return [name, maskAll(member)];
			return [name, secretName.test(name) ? maskAll(member) : mask(member, secrets)];
		}),
	);
}

/** Arguments of a command: `--token x` hides the next element, `--token=x` the rest of this one. */
function maskList(list: readonly unknown[], secrets: readonly string[]): unknown[] {
	return list.map((item, index) => {
		const before = list[index - 1];
		if (typeof item !== 'string') return mask(item, secrets);
		if (typeof before === 'string' && /^--?[\w-]+$/.test(before) && secretName.test(before)) return hide(item);
		const option = /^(--?[\w-]+)=(.*)$/s.exec(item);
		if (option?.[1] !== undefined && secretName.test(option[1])) return `${option[1]}=${hide(option[2] ?? '')}`;
		return maskText(item, secrets);
	});
}

function maskAll(value: unknown): unknown {
	if (typeof value === 'string') return hide(value);
	if (typeof value === 'number') return masked;
	if (Array.isArray(value)) return value.map(maskAll);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, maskAll(member)]));
}

function hide(text: string): string {
	return text === '' || reference.test(text) ? text : masked;
}

function maskText(text: string, secrets: readonly string[]): string {
	let result = text;
	for (const secret of secrets) if (result.includes(secret)) result = result.replaceAll(secret, masked);
	result = result.replace(/\b(bearer|basic) +(?!<)[\w.~+/=-]{6,}/gi, `$1 ${masked}`);
	// A URL, or the path of one that is written in parts.
	if (!result.includes('://') && !result.startsWith('/')) return result;
	return result
		.replace(/(:\/\/[^/?#\s:@]*):[^/?#\s@]+@/g, `$1:${masked}@`)
		.replace(/([?&])([^=&#\s]+)=([^&#\s]+)/g, (whole, mark: string, name: string, content: string) =>
			secretName.test(name) ? `${mark}${name}=${hide(content)}` : whole,
		);
}

/** A value given to a process by `env` is a secret in its arguments too. */
function collectEnvironment(value: unknown, into: Set<string>): void {
	if (typeof value !== 'object' || value === null) return;
	for (const [name, member] of Object.entries<unknown>(value as Record<string, unknown>)) {
		if (name !== 'env' || typeof member !== 'object' || member === null) collectEnvironment(member, into);
		else
			for (const [variable, text] of Object.entries(member)) {
				if (secretName.test(variable) && typeof text === 'string' && isWorthSearching(text)) into.add(text);
			}
	}
}

/** Short values such as `true` or `8080` would blot out half the document. */
function isWorthSearching(text: string): boolean {
	return text.length >= 8 && !reference.test(text);
}
