/** A field of the form for a tool's arguments, made from a JSON Schema (2020-12, as MCP uses it). */
export interface FormField {
	/** Name of the argument; `` for items of lists. */
	name: string;
	kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'list' | 'group' | 'json';
	required: boolean;
	description: string;
	/** What may be chosen, for `choice`. */
	choices: readonly { label: string; value: unknown }[];
	/** Fields of a `group`; the item of a `list` is the only one. */
	fields: readonly FormField[];
	/** The schema's own default. */
	initial: unknown;
	/** Limits in words, such as `1 to 10`. */
	note: string;
	minimum: number | null;
	maximum: number | null;
	/** Text that spans lines. */
	long: boolean;
}

type Schema = Readonly<Record<string, unknown>>;

/** Schemas come from servers: what is deeper or larger is edited as JSON. */
const maximumDepth = 4;
const maximumFields = 100;
const maximumChoices = 500;

/** The fields of a tool's `inputSchema`; null when it is no object of named arguments, which is edited as JSON. */
export function formFields(inputSchema: Schema): FormField[] | null {
	return new Reader(inputSchema).fieldsOf(inputSchema, 0);
}

class Reader {
	private readonly root: Schema;
	private count = 0;

	constructor(root: Schema) {
		this.root = root;
	}

	fieldsOf(schema: Schema, depth: number): FormField[] | null {
		const { properties } = schema;
		if (properties === undefined && schema['type'] === 'object') return [];
		if (!isObject(properties)) return null;
		const required = Array.isArray(schema['required']) ? schema['required'] : [];
		const fields: FormField[] = [];
		for (const [name, property] of Object.entries(properties)) {
			if (++this.count > maximumFields) return null;
			fields.push(this.field(name, property, required.includes(name), depth));
		}
		return fields;
	}

	private field(name: string, written: unknown, required: boolean, depth: number): FormField {
		const schema = this.resolve(written);
		const base: FormField = {
			name,
			kind: 'json',
			required,
			description: typeof schema['description'] === 'string' ? schema['description'] : '',
			choices: [],
			fields: [],
			initial: schema['default'],
			note: noteOf(schema),
			minimum: typeof schema['minimum'] === 'number' ? schema['minimum'] : null,
			maximum: typeof schema['maximum'] === 'number' ? schema['maximum'] : null,
			long: false,
		};
		const choices = choicesOf(schema);
		if (choices !== null) return { ...base, kind: 'choice', choices };
		switch (schema['type']) {
			case 'string':
				return { ...base, kind: 'text', long: isLong(schema) };
			case 'number':
			case 'integer':
				return { ...base, kind: schema['type'] };
			case 'boolean':
				return { ...base, kind: 'boolean' };
			case 'array':
				return depth < maximumDepth && isObject(schema['items'])
					? { ...base, kind: 'list', fields: [this.field('', schema['items'], true, depth + 1)] }
					: base;
			case 'object': {
				const fields = depth < maximumDepth && isObject(schema['properties']) ? this.fieldsOf(schema, depth + 1) : null;
				return fields === null ? base : { ...base, kind: 'group', fields };
			}
			default:
				return base;
		}
	}

	/** Follows `$ref` within the schema, takes `null` out of unions, and keeps the words beside both. */
	private resolve(written: unknown): Schema {
		let schema: Schema = isObject(written) ? written : {};
		for (let hops = 0; hops < 8; hops++) {
			const { $ref, anyOf, oneOf, ...rest } = schema;
			const union = anyOf ?? oneOf;
			if (typeof $ref === 'string') schema = { ...this.referenced($ref), ...rest };
			else if (Array.isArray(union) && union.length === 2 && union.some(isNull)) {
				schema = { ...(union.find((one) => !isNull(one)) as Schema), ...rest };
			} else if (Array.isArray(schema['type']) && schema['type'].length === 2 && schema['type'].includes('null')) {
				schema = { ...schema, type: schema['type'].find((type) => type !== 'null') as unknown };
			} else return schema;
		}
		return {};
	}

	private referenced(reference: string): Schema {
		if (!reference.startsWith('#/')) return {};
		let value: unknown = this.root;
		for (const part of reference.slice(2).split('/')) {
			const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
			value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
		}
		return isObject(value) ? value : {};
	}
}

function choicesOf(schema: Schema): FormField['choices'] | null {
	const { enum: values, const: only, oneOf, anyOf } = schema;
	if (Array.isArray(values) && values.length <= maximumChoices) {
		const names: unknown[] = Array.isArray(schema['enumNames']) ? schema['enumNames'] : [];
		return values.map((value: unknown, index) => {
			const name = names[index];
			return { label: typeof name === 'string' ? name : labelOf(value), value };
		});
	}
	if (only !== undefined) return [{ label: labelOf(only), value: only }];
	const union = oneOf ?? anyOf;
	if (
		!Array.isArray(union) ||
		union.length === 0 ||
		union.length > maximumChoices ||
		!union.every((one) => isObject(one) && 'const' in one)
	)
		return null;
	return (union as Schema[]).map((one) => ({
		label: typeof one['title'] === 'string' ? one['title'] : labelOf(one['const']),
		value: one['const'],
	}));
}

function labelOf(value: unknown): string {
	return typeof value === 'string' ? value : JSON.stringify(value);
}

function noteOf({ minimum, maximum, format, type }: Schema): string {
	const what = typeof format === 'string' ? format : typeof type === 'string' ? type : '';
	const [least, most] = [typeof minimum === 'number', typeof maximum === 'number'];
	if (least && most) return `${what}, ${minimum as number} to ${maximum as number}`;
	if (least) return `${what}, at least ${minimum as number}`;
	return most ? `${what}, at most ${maximum as number}` : what;
}

function isLong(schema: Schema): boolean {
	const { maxLength, format } = schema;
	return format === 'textarea' || format === 'markdown' || (typeof maxLength === 'number' && maxLength > 300);
}

function isNull(schema: unknown): boolean {
	return isObject(schema) && schema['type'] === 'null';
}

function isObject(value: unknown): value is Schema {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
