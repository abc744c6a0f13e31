import { RE2JS } from 're2js';
import * as z from 'zod';
import { parseAddress } from '../address.ts';
import { parseDuration } from '../duration.ts';
import { MAX_SIZE, parseSize } from '../size.ts';

/** A text that must not be empty. */
export function text(description: string): z.ZodString {
	return z.string().min(1, { error: 'must not be empty' }).describe(description);
}

/** Yes or no; `default_` is shown in the JSON Schema. */
export function flag(description: string, default_: boolean): z.ZodOptional<z.ZodBoolean> {
	return z.boolean().meta({ description, default: default_ }).optional();
}

/** One of a few words; `unsupported` are words that agentgateway knows and this version does not. */
export function word<const Words extends readonly [string, ...string[]]>(
	description: string,
	words: Words,
	options: { default: Words[number] | undefined; unsupported?: readonly string[] } = { default: undefined },
): z.ZodOptional<z.ZodEnum<{ [W in Words[number]]: W }>> {
	const meta: Record<string, unknown> = { description };
	if (options.default !== undefined) {
		meta.default = options.default;
	}
	const schema = z.enum(words, {
		error: (issue) =>
			options.unsupported?.includes(String(issue.input)) === true
				? `"${String(issue.input)}" is known to agentgateway, not supported by this version, which has only ${words.join(' and ')}`
				: undefined,
	});
	return schema.meta(meta).optional();
}

/** A TCP port; 0 asks the system for a free one. */
export function port(description: string): z.ZodNumber {
	const range = { error: 'a port is a whole number from 1 to 65535, or 0 for a free one' };
	return z.number().int(range).min(0, range).max(65_535, range).describe(description);
}

type Duration = z.ZodUnion<readonly [z.ZodString, z.ZodLiteral<0>]>;

/** A Go-style duration. Zero needs no unit. */
export function duration(description: string, default_?: string): Duration {
	const fault = { error: ({ input }: { input?: unknown }) => durationFault(input) };
	const text = z.string(fault).refine((value) => parseDuration(value) !== null, fault);
	return z.union([text, z.literal(0, fault)], fault).meta(durationMeta(description, default_));
}

/** A Go-style duration that cannot be zero; `remedy` says what to do instead. */
export function positiveDuration(description: string, default_: string | undefined, remedy: string): z.ZodString {
	const fault = {
		error: ({ input }: { input?: unknown }) => {
			const zero = input === 0 || (typeof input === 'string' && parseDuration(input) === 0);
			return zero ? `cannot be zero; ${remedy}` : durationFault(input);
		},
	};
	const good = z.string(fault).refine((value) => (parseDuration(value) ?? 0) > 0, fault);
	return good.meta(durationMeta(description, default_));
}

function durationMeta(description: string, default_: string | undefined): Record<string, unknown> {
	const meta = { description, examples: ['500ms', '5s', '1m30s'] };
	return default_ === undefined ? meta : { ...meta, default: default_ };
}

function durationFault(input: unknown): string {
	const form = 'write it with units, such as 500ms, 5s or 1m30s';
	if (typeof input !== 'string' && typeof input !== 'number')
		return `expected a duration, got ${kindOf(input)}; ${form}`;
	const text = String(input).trim();
	if (text.startsWith('-')) return `a duration is not negative: ${shortened(text)}; ${form}`;
	if (/^\d+(?:\.\d+)?$/.test(text)) return `a duration needs a unit; write ${text}s`;
	return `not a duration: "${shortened(text)}"; ${form}`;
}

function kindOf(value: unknown): string {
	if (Array.isArray(value)) return 'a list';
	return typeof value === 'object' ? 'a mapping' : String(value);
}

function shortened(text: string): string {
	return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** How many of something there may be: a whole number, at least `least`. Without a default there is no limit. */
export function count(description: string, default_: number | undefined, least = 1): z.ZodOptional<z.ZodNumber> {
	const range = { error: `expected a whole number, at least ${least}` };
	const meta = default_ === undefined ? { description } : { description, default: default_ };
	return z.number().int(range).min(least, range).meta(meta).optional();
}

/** A size in memory: bytes as a number, or text with a unit. */
export function size(
	description: string,
	default_: string,
): z.ZodOptional<z.ZodUnion<readonly [z.ZodNumber, z.ZodString]>> {
	const fault = { error: ({ input }: { input: unknown }) => sizeFault(input) };
	const bytes = z.number(fault).int(fault).min(1, fault).max(MAX_SIZE, fault);
	const text = z
		.string(fault)
		.regex(/^\d+(?:KiB|MiB|GiB)$/, { ...fault, abort: true })
		.refine((value) => parseSize(value) !== null, fault);
	const schema = z.union([bytes, text], fault);
	return schema.meta({ description, default: default_, examples: ['512KiB', '4MiB', 1_048_576] }).optional();
}

function sizeFault(input: unknown): string {
	const form = 'write bytes as a number from 1, or text such as 512KiB or 4MiB, up to 1GiB';
	if (typeof input !== 'number' && typeof input !== 'string') return `expected a size; ${form}`;
	const [, digits = '', unit] = /^\s*(\d{1,10})\s*(?:([kmg])i?b?)?\s*$/i.exec(String(input)) ?? [];
	const meant = unit === undefined ? Number(digits) : `${digits}${unit.toUpperCase()}iB`;
	const remedy = parseSize(meant) === null ? form : `write ${meant}${unit === undefined ? ' without quotes' : ''}`;
	return `not a size: ${JSON.stringify(input).slice(0, 40)}; ${remedy}`;
}

/** An address to listen on. */
export function address(description: string, default_: string): z.ZodOptional<z.ZodString> {
	const schema = z
		.string({ error: ({ input }) => addressFault(String(input)) })
		.refine((value) => parseAddress(value) !== undefined, {
			error: ({ input }) => addressFault(String(input)),
		});
	return schema
		.meta({ description, default: default_, examples: ['127.0.0.1:15000', 'off', 'unix:/run/agw.sock'] })
		.optional();
}

/** What is wrong with an address, and how it is written. */
export function addressFault(input: string): string {
	return `not an address: "${input}"; write IP:PORT, localhost:PORT, [IPv6]:PORT, unix:/path or off`;
}

/** An expression in RE2 syntax that must match the whole value; look-around and back-references do not exist in it. */
export function expression(description: string): z.ZodString {
	const schema = z.string().refine((value) => expressionFault(value) === null, {
		error: ({ input }) => `not a regular expression: ${expressionFault(String(input)) ?? ''}`,
	});
	return schema.describe(description);
}

function expressionFault(pattern: string): string | null {
	try {
		RE2JS.compile(pattern);
		return null;
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		return reason.replace(/^error parsing regexp: /, '').slice(0, 120);
	}
}

/** A host name to match: exact, or `*.suffix`. */
export function hostname(description: string): z.ZodString {
	const schema = z.string().refine((value) => /^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(value), {
		error: ({ input }) =>
			`not a host name: "${String(input)}"; write it as example.com or *.example.com, without scheme, port or path`,
	});
	return schema.describe(description);
}

/** A URL path, which begins with a slash. */
export function urlPath(description: string): z.ZodString {
	const schema = z.string().refine((value) => value.startsWith('/'), {
		error: ({ input }) => `a path begins with "/"; write "/${String(input)}"`,
	});
	return schema.describe(description);
}

/** References to gateways: one text or a list of them. */
export function gatewayReferences(
	description: string,
): z.ZodOptional<z.ZodUnion<readonly [z.ZodString, z.ZodArray<z.ZodString>]>> {
	const reference = z.string().min(1, { error: 'must not be empty' });
	const schema = z.union([reference, z.array(reference).min(1, { error: 'name at least one gateway' })], {
		error: 'expected the name of a gateway, or a list of names; write "default" or "default/listener"',
	});
	return schema.describe(description).optional();
}
