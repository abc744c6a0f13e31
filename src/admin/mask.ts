import {
	isSecretName,
	isSecretOption,
	isWorthHiding,
	reference,
	secretOption,
	secretsIn,
	SecretTexts,
} from './secret-texts.ts';

/** Stands where a secret was. */
export const masked = '<redacted>';

/**
 * A copy of a JSON-like value without its secrets: members with telling names, every `env` value, credentials in URLs
 * and command lines, and each of `secrets` wherever it stands. A value that only refers to the environment
 * (`$NAME`, `${NAME}`) stays, because it says nothing.
 */
export function maskSecrets<T>(value: T, secrets: readonly string[] = []): T {
	return mask(value, new SecretTexts([...secrets.filter(isWorthHiding), ...secretsIn(value)])) as T;
}

/** Masks texts as `maskSecrets` would if they stood beside the values with these secrets (`secretsIn`). */
export function maskerFor(secrets: Iterable<string>): (text: string) => string {
	const known = new SecretTexts(secrets);
	return (text) => maskText(text, known);
}

function mask(value: unknown, secrets: SecretTexts): unknown {
	if (typeof value === 'string') return maskText(value, secrets);
	if (Array.isArray(value)) return maskList(value, secrets);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, member]) => {
			if (name === 'env') return [name, maskAll(member)];
			return [name, isSecretName(name) ? maskAll(member) : mask(member, secrets)];
		}),
	);
}

/** Arguments of a command: `--token x` hides the next element, `--token=x` the rest of this one. */
function maskList(list: readonly unknown[], secrets: SecretTexts): unknown[] {
	return list.map((item, index) => {
		const before = list[index - 1];
		if (typeof item !== 'string') return mask(item, secrets);
		if (isSecretOption(before)) return hide(item);
		const option = secretOption(item);
		return option === null ? maskText(item, secrets) : `${option.name}=${hide(option.value)}`;
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

function maskText(text: string, secrets: SecretTexts): string {
	const result = secrets.hide(text, masked).replace(/\b(bearer|basic) +(?!<)[\w.~+/=-]{6,}/gi, `$1 ${masked}`);
	// A URL, or the path of one that is written in parts.
	if (!result.includes('://') && !result.startsWith('/')) return result;
	return result
		.replace(/(:\/\/[^/?#\s:@]*):[^/?#\s@]+@/g, `$1:${masked}@`)
		.replace(/([?&])([^=?&#\s]+)=([^&#\s]+)/g, (whole, mark: string, name: string, content: string) =>
			isSecretName(name) ? `${mark}${name}=${hide(content)}` : whole,
		);
}
