/** `token`, `adminToken`, `X-Api-Key` …, but not `key`, `tokenizer` or `author`. */
const secretName = new RegExp(
	[
		'(?:^|[-_.]|[a-z](?=[A-Z]))',
		'(?:authorization|cookie|credentials?|pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|bearer)$',
		'|(?:api|access|auth|client|encryption|private|session|shared|signing|ssh)[-_.]?(?:key|secret|token)s?$',
	].join(''),
	'i',
);

/** A value that only refers to the environment, which says nothing. */
export const reference = /^\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})$/;

export function isSecretName(name: string): boolean {
	return secretName.test(name);
}

/** Whether the argument of a command is an option whose value, the next argument, is a secret: `--api-key`. */
export function isSecretOption(argument: unknown): boolean {
	return typeof argument === 'string' && /^--?[\w-]+$/.test(argument) && isSecretName(argument);
}

/** Reads an argument like `--token=x`; null when it is none, or no secret. */
export function secretOption(argument: string): { readonly name: string; readonly value: string } | null {
	const [, name, value] = /^(--?[\w-]+)=(.*)$/s.exec(argument) ?? [];
	return name === undefined || value === undefined || !isSecretName(name) ? null : { name, value };
}

/** Short values such as `true` or `8080` would blot out half of a text. */
export function isWorthHiding(text: string): boolean {
	return text.length >= shortest && !reference.test(text);
}

const shortest = 8;

/**
 * The secrets that programs and servers are given by a configuration, or any part of it: values of variables with telling
 * names in `env`, of such options in `args`, and of such parameters and passwords in URLs. They are secrets wherever
 * they stand.
 */
export function secretsIn(value: unknown): ReadonlySet<string> {
	const found = new Set<string>();
	collect(value, found);
	return found;
}

function collect(value: unknown, into: Set<string>): void {
	if (typeof value === 'string') return collectFromUrl(value, into);
	if (typeof value !== 'object' || value === null) return;
	for (const [name, member] of Object.entries<unknown>(value as Record<string, unknown>)) {
		if (name === 'args' && Array.isArray(member)) collectOptions(member, into);
		else if (name !== 'env' || typeof member !== 'object' || member === null) collect(member, into);
		else
			for (const [variable, text] of Object.entries(member)) {
				if (typeof text !== 'string') continue;
				if (isSecretName(variable) && isWorthHiding(text)) into.add(text);
				else collectFromUrl(text, into);
			}
	}
}

/** `https://user:password@host/?token=secret` */
function collectFromUrl(text: string, into: Set<string>): void {
	if (!text.includes('://')) return;
	const found = [...text.matchAll(/:\/\/[^/?#\s:@]*:([^/?#\s@]+)@/g)].map(([, password = '']) => password);
	for (const [, name = '', content = ''] of text.matchAll(/[?&]([^=?&#\s]+)=([^&#\s]+)/g))
		if (isSecretName(name)) found.push(content);
	for (const secret of found) if (isWorthHiding(secret)) into.add(secret);
}

function collectOptions(args: readonly unknown[], into: Set<string>): void {
	for (const [at, item] of args.entries()) {
		if (typeof item !== 'string') continue;
		const text = isSecretOption(args[at - 1]) ? item : secretOption(item)?.value;
		if (text !== undefined && isWorthHiding(text)) into.add(text);
		else collectFromUrl(item, into);
	}
}

/** So many are looked for one after the other. */
const fewForms = 16;

/** Texts that must not be read anywhere, in the forms in which programs write them. */
export class SecretTexts {
	/** Longest first, so that one inside another leaves no rest. */
	private readonly forms: readonly string[];
	/** The places in `forms` of those that begin or end with a text of the shortest length; null while there are few. */
	private readonly edges: ReadonlyMap<string, readonly number[]> | null;

	constructor(secrets: Iterable<string>) {
		const forms = new Set([...secrets].flatMap(formsOf).filter((form) => form.length >= shortest));
		this.forms = [...forms].sort((a, b) => b.length - a.length);
		this.edges = this.forms.length <= fewForms ? null : edgesOf(this.forms);
	}

	/**
	 * The text with `mask` in the place of each secret. A beginning of one at the end of the text, or an end of one at its
	 * beginning, is hidden, too: lines are cut, and secrets go over several.
	 */
	hide(text: string, mask: string): string {
		let result = text;
		for (const form of this.near(text)) {
			if (result.includes(form)) result = result.replaceAll(form, mask);
			const end = result.lastIndexOf(form.slice(0, shortest));
			if (end >= 0 && form.startsWith(result.slice(end))) result = result.slice(0, end) + mask;
			const start = result.indexOf(form.slice(-shortest));
			const rest = start + shortest;
			if (start >= 0 && form.endsWith(result.slice(0, rest))) result = mask + result.slice(rest);
		}
		return result;
	}

	/** The forms of which the text may hold something, found in one walk over it however many there are. */
	private near(text: string): readonly string[] {
		const { edges, forms } = this;
		if (edges === null) return forms;
		const found = new Set<number>();
		for (let at = 0; at + shortest <= text.length; at++)
			for (const place of edges.get(text.slice(at, at + shortest)) ?? []) found.add(place);
		return [...found].sort((a, b) => a - b).map((place) => forms[place] ?? '');
	}
}

function edgesOf(forms: readonly string[]): ReadonlyMap<string, readonly number[]> {
	const edges = new Map<string, number[]>();
	for (const [place, form] of forms.entries()) {
		for (const edge of new Set([form.slice(0, shortest), form.slice(-shortest)])) {
			const places = edges.get(edge);
			if (places === undefined) edges.set(edge, [place]);
			else places.push(place);
		}
	}
	return edges;
}

/** As it is, in JSON, in a URL, and line by line, as logs have it. */
function formsOf(secret: string): string[] {
	const lines = secret.includes('\n') ? secret.split('\n').map((line) => line.trim()) : [];
	return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(Buffer.from(secret).toString()), ...lines];
}
