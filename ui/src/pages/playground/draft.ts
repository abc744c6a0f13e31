import type { FormField } from './form-field.ts';

/** What stands in a form so far: texts as typed, `` for untouched; lists and groups hold drafts. */
export type Draft = string | readonly Draft[] | { readonly [name: string]: Draft };

/** A value made from a draft, its absence, or what is wrong by place (`a.b[0]`). */
export type Filled =
	| { kind: 'value'; value: unknown }
	| { kind: 'absent' }
	| { kind: 'wrong'; errors: ReadonlyMap<string, string> };

/** The draft of an untouched field, with the schema's default filled in. */
export function emptyDraft(field: FormField): Draft {
	return draftOf(field, field.initial);
}

/** A value as it would have been typed; what does not fit the field leaves it untouched. */
function draftOf(field: FormField, value: unknown): Draft {
	const { kind, fields } = field;
	if (kind === 'group') {
		const members = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
		return Object.fromEntries(
			fields.map((one) => [one.name, draftOf(one, Object.hasOwn(members, one.name) ? members[one.name] : one.initial)]),
		);
	}
	if (kind === 'list') {
		const [item] = fields;
		return Array.isArray(value) && item !== undefined ? value.map((one) => draftOf(item, one)) : [];
	}
	if (value === undefined || value === null) return '';
	if (kind === 'choice') return indexOfChoice(field, value);
	if (kind === 'json') return JSON.stringify(value, null, 2);
	return typeof value === 'object' ? '' : String(value as string | number | boolean);
}

/** The arguments for the call, or every error at once. Optional fields left empty are left out. */
export function fillAll(fields: readonly FormField[], draft: Draft): Filled {
	return fillGroup(fields, draft, '');
}

function fill(field: FormField, draft: Draft, place: string): Filled {
	if (field.kind === 'group') return optionalGroup(field, draft, place);
	if (field.kind === 'list') return fillList(field, Array.isArray(draft) ? (draft as readonly Draft[]) : [], place);
	const text = typeof draft === 'string' ? draft : '';
	if (text === '' && !(field.kind === 'text' && field.required)) {
		return field.required ? wrong(place, 'This is required.') : { kind: 'absent' };
	}
	return fillText(field, text, place);
}

function fillText(field: FormField, text: string, place: string): Filled {
	switch (field.kind) {
		case 'number':
		case 'integer':
			return fillNumber(field, text, place);
		case 'boolean':
			return { kind: 'value', value: text === 'true' };
		case 'choice':
			return { kind: 'value', value: field.choices[Number(text)]?.value };
		case 'json':
			try {
				return { kind: 'value', value: JSON.parse(text) as unknown };
			} catch (error) {
				return wrong(place, `This is not JSON: ${error instanceof Error ? error.message : String(error)}`);
			}
		default:
			return { kind: 'value', value: text };
	}
}

function fillNumber(field: FormField, text: string, place: string): Filled {
	const written = text.trim();
	const value = Number(written);
	if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(written) || !Number.isFinite(value)) {
		return wrong(place, 'This must be a number, such as 5 or 2.5.');
	}
	if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
		return wrong(place, 'Whole numbers beyond 9007199254740991 would lose digits here.');
	}
	if (field.kind === 'integer' && !Number.isInteger(value)) return wrong(place, 'This must be a whole number.');
	if (field.minimum !== null && value < field.minimum) return wrong(place, `The least is ${field.minimum}.`);
	if (field.maximum !== null && value > field.maximum) return wrong(place, `The most is ${field.maximum}.`);
	return { kind: 'value', value };
}

function fillList(field: FormField, drafts: readonly Draft[], place: string): Filled {
	const item = field.fields[0];
	if (item === undefined || (drafts.length === 0 && !field.required)) return { kind: 'absent' };
	const values: unknown[] = [];
	const errors = new Map<string, string>();
	drafts.forEach((draft, index) => {
		const filled = fill(item, draft, `${place}[${index}]`);
		if (filled.kind === 'value') values.push(filled.value);
		else if (filled.kind === 'wrong') for (const [where, error] of filled.errors) errors.set(where, error);
	});
	return errors.size > 0 ? { kind: 'wrong', errors } : { kind: 'value', value: values };
}

/** An optional group in which nothing was written is left out, though some of its fields would be required. */
function optionalGroup(field: FormField, draft: Draft, place: string): Filled {
	return !field.required && isBlank(draft) ? { kind: 'absent' } : fillGroup(field.fields, draft, place);
}

function fillGroup(fields: readonly FormField[], draft: Draft, place: string): Filled {
	const drafts = typeof draft === 'object' && !Array.isArray(draft) ? (draft as Record<string, Draft>) : {};
	const entries: [string, unknown][] = [];
	const errors = new Map<string, string>();
	for (const field of fields) {
		const own = Object.hasOwn(drafts, field.name) ? (drafts[field.name] ?? '') : '';
		const filled = fill(field, own, place === '' ? field.name : `${place}.${field.name}`);
		if (filled.kind === 'value') entries.push([field.name, filled.value]);
		else if (filled.kind === 'wrong') for (const [where, error] of filled.errors) errors.set(where, error);
	}
	// fromEntries, not assignment: a property may be called __proto__.
	return errors.size > 0 ? { kind: 'wrong', errors } : { kind: 'value', value: Object.fromEntries(entries) };
}

function isBlank(draft: Draft): boolean {
	if (typeof draft === 'string') return draft === '';
	return Object.values(draft).every((one) => isBlank(one as Draft));
}

function indexOfChoice(field: FormField, initial: unknown): string {
	const wanted = JSON.stringify(initial);
	const index = field.choices.findIndex(({ value }) => JSON.stringify(value) === wanted);
	return index < 0 ? '' : String(index);
}

function wrong(place: string, error: string): Filled {
	return { kind: 'wrong', errors: new Map([[place, error]]) };
}
