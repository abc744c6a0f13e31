import * as z from 'zod';
import type { Path } from './path.ts';
import type { Report } from './report.ts';
import { isMapping, type KnownKey, type SectionView, unwrap, viewSection } from './schema/section.ts';
import { suggest } from '../lib/suggest.ts';

/** A copy of the written values that holds only supported keys, and the way from its nodes back to their paths. */
export interface Inspected {
	value: unknown;
	/** Path of a mapping or list inside `value`. */
	pathOf(node: object): Path;
}

/**
 * Walks values along their schema and reports keys: unknown ones with what was probably meant, those that agentgateway
 * knows and this version does not, empty optional ones, and mappings that must hold exactly one of several keys. Types
 * are left to zod; what was reported here is absent from the copy, so that it is not reported twice.
 */
export function inspectKeys(schema: z.ZodObject, value: unknown, report: Report): Inspected {
	const paths = new WeakMap<object, Path>();
	const walk = (schema_: z.core.$ZodType, value_: unknown, path: Path): unknown => {
		const inner = unwrap(schema_, value_);
		let copy: unknown = value_;
		if (inner instanceof z.ZodObject && isMapping(value_)) {
			copy = walkSection(inner, value_, path);
		} else if (inner instanceof z.ZodRecord && isMapping(value_)) {
			const valueType = inner.valueType;
			copy = Object.fromEntries(
				Object.entries(value_).map(([key, item]) => [key, walk(valueType, item, [...path, key])]),
			);
		} else if (inner instanceof z.ZodArray && Array.isArray(value_)) {
			const element = inner.element;
			copy = value_.map((item, index) => walk(element, item, [...path, index]));
		}
		if (typeof copy === 'object' && copy !== null) {
			paths.set(copy, path);
		}
		return copy;
	};
	const walkSection = (schema_: z.ZodObject, value_: Record<string, unknown>, path: Path): Record<string, unknown> => {
		const view = viewSection(schema_);
		checkExactlyOne(view, value_, path, report);
		const copy: Record<string, unknown> = {};
		for (const [key, item] of Object.entries(value_)) {
			const type = Object.hasOwn(view.shape, key) ? view.shape[key] : undefined;
			if (type === undefined) {
				reportUnsupported(view, key, item, path, report);
			} else if (item === null && type._zod.optin === 'optional') {
				report.warning({ path, key }, `"${key}" is empty and has no effect`, 'remove it, or give it a value');
			} else {
				copy[key] = walk(type, item, [...path, key]);
			}
		}
		return copy;
	};
	return { value: walk(schema, value, []), pathOf: (node) => paths.get(node) ?? [] };
}

function reportUnsupported(view: SectionView, key: string, item: unknown, path: Path, report: Report): void {
	const entry = Object.hasOwn(view.known, key) ? view.known[key] : undefined;
	if (entry === undefined) {
		const message = `unknown key ${JSON.stringify(key.slice(0, 64))}`;
		report.problem({ path, key }, message, remedyFor(view, key));
	} else if (item === null) {
		report.warning({ path, key }, `"${key}" is empty and has no effect`, 'remove it');
	} else {
		reportKnown(entry, key, path, report);
	}
}

function reportKnown(entry: KnownKey, key: string, path: Path, report: Report): void {
	switch (entry.rule) {
		case 'refuse':
			return report.problem({ path, key }, `"${key}" is known to agentgateway, not supported by this version`);
		case 'warn':
			return report.warning({ path, key }, `"${key}" is known to agentgateway and has no effect in this version`);
		case 'moved':
			return report.problem({ path, key }, `"${key}" is an old key: ${entry.note}`, 'remove it');
	}
}

function remedyFor(view: SectionView, key: string): string {
	const supported = Object.keys(view.shape);
	const meant = suggest(key, [...supported, ...Object.keys(view.known)]);
	if (meant !== null) {
		return `did you mean "${meant}"?`;
	}
	for (const name of supported) {
		const child = unwrap(view.shape[name] as z.core.$ZodType, {});
		if (child instanceof z.ZodObject) {
			const { shape, known } = viewSection(child);
			if (Object.hasOwn(shape, key) || Object.hasOwn(known, key)) {
				return `write it under "${name}"`;
			}
		}
	}
	return supported.length === 0 ? 'remove it' : `the keys here are ${supported.join(', ')}`;
}

function checkExactlyOne(view: SectionView, value: Record<string, unknown>, path: Path, report: Report): void {
	if (view.exactlyOne.length === 0) {
		return;
	}
	const present = view.exactlyOne.filter(
		(key) => Object.hasOwn(value, key) && (value[key] !== null || !(key in view.shape)),
	);
	const choices = view.exactlyOne.filter((key) => key in view.shape);
	if (present.length > 1) {
		const second = present[1] as string;
		report.problem({ path, key: second }, `${quoteList(present)} stand together`, 'keep one of them');
	} else if (present.length === 0 && !hasMisspelt(view, value)) {
		const list = choices.length === 1 ? `"${choices[0]}"` : `one of ${choices.join(', ')}`;
		report.problem(path, choices.length === 1 ? `${list} is missing` : `needs ${list}`);
	}
}

/** Whether an unknown key looks like one of the choices; then that is the one finding worth showing. */
function hasMisspelt(view: SectionView, value: Record<string, unknown>): boolean {
	return Object.keys(value).some(
		(key) => !(key in view.shape) && !(key in view.known) && suggest(key, view.exactlyOne) !== null,
	);
}

function quoteList(keys: readonly string[]): string {
	const quoted = keys.map((key) => `"${key}"`);
	return `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}
