import { Plus, X } from 'lucide-react';
import { Button } from '../../components/button.tsx';
import { type ControlProps, Field } from '../../components/field.tsx';
import { Select, TextArea, TextInput } from '../../components/input.tsx';
import { markedText } from '../../components/hidden-characters.ts';
import { ServerText } from '../../components/server-text.tsx';
import { type Draft, emptyDraft } from './draft.ts';
import type { FormField } from './form-field.ts';

export interface FieldControlProps {
	field: FormField;
	/** Path of the field, by which errors are found. */
	place: string;
	draft: Draft;
	errors: ReadonlyMap<string, string>;
	onChange: (draft: Draft) => void;
}

/** The control for one argument, with its description and error. */
export function FieldControl(props: FieldControlProps) {
	const { field, place, draft, errors, onChange } = props;
	if (field.kind === 'group') return <Group {...props} />;
	if (field.kind === 'list') return <List {...props} />;
	const text = typeof draft === 'string' ? draft : '';
	return (
		<Field
			label={markedText(field.name === '' ? place : field.name)}
			note={field.kind === 'json' ? 'JSON' : markedText(field.note)}
			required={field.required && field.name !== ''}
			hint={field.description === '' ? undefined : <ServerText text={field.description} />}
			error={errors.get(place)}
		>
			{(control) => <Control field={field} text={text} control={control} onChange={onChange} />}
		</Field>
	);
}

interface ControlOptions {
	field: FormField;
	text: string;
	control: ControlProps;
	onChange: (text: string) => void;
}

function Control({ field, text, control, onChange }: ControlOptions) {
	if (field.kind === 'boolean' || field.kind === 'choice') {
		const own =
			field.kind === 'boolean'
				? booleans
				: field.choices.map(({ label }, index) => ({ value: String(index), label: markedText(label) }));
		const options = [{ value: '', label: field.required ? 'Choose…' : 'Not set' }, ...own];
		return <Select {...control} options={options} value={text} onChange={(event) => onChange(event.target.value)} />;
	}
	if (field.kind === 'json' || field.long) {
		return <TextArea {...control} value={text} onChange={(event) => onChange(event.target.value)} />;
	}
	const number = field.kind === 'number' || field.kind === 'integer';
	return (
		<TextInput
			{...control}
			{...(number ? { inputMode: 'decimal' } : {})}
			value={text}
			onChange={(event) => onChange(event.target.value)}
		/>
	);
}

const booleans = [
	{ value: 'true', label: 'true' },
	{ value: 'false', label: 'false' },
];

function Group({ field, place, draft, errors, onChange }: FieldControlProps) {
	const drafts = typeof draft === 'object' && !Array.isArray(draft) ? (draft as Record<string, Draft>) : {};
	return (
		<fieldset className="flex min-w-0 flex-col gap-3 rounded-6 border border-line p-3">
			<Legend field={field} place={place} />
			{field.fields.map((inner) => (
				<FieldControl
					key={inner.name}
					field={inner}
					place={`${place}.${inner.name}`}
					draft={drafts[inner.name] ?? ''}
					errors={errors}
					onChange={(changed) => onChange({ ...drafts, [inner.name]: changed })}
				/>
			))}
		</fieldset>
	);
}

function List({ field, place, draft, errors, onChange }: FieldControlProps) {
	const item = field.fields[0];
	const drafts = Array.isArray(draft) ? (draft as readonly Draft[]) : [];
	if (item === undefined) return null;
	return (
		<fieldset className="flex min-w-0 flex-col gap-2 rounded-6 border border-line p-3">
			<Legend field={field} place={place} />
			{drafts.map((one, index) => (
				// Items are known by their place.
				<div key={index} className="flex items-end gap-1">
					<div className="min-w-0 flex-1">
						<FieldControl
							field={item}
							place={`${place}[${index}]`}
							draft={one}
							errors={errors}
							onChange={(changed) => onChange(drafts.map((other, at) => (at === index ? changed : other)))}
						/>
					</div>
					<Button
						variant="ghost"
						aria-label={`Remove ${place}[${index}]`}
						onClick={() => onChange(drafts.filter((_, at) => at !== index))}
					>
						<X className="size-4" aria-hidden="true" />
					</Button>
				</div>
			))}
			<Button size="sm" className="self-start" onClick={() => onChange([...drafts, emptyDraft(item)])}>
				<Plus className="size-3.5" aria-hidden="true" />
				Add to {markedText(field.name === '' ? place : field.name)}
			</Button>
		</fieldset>
	);
}

function Legend({ field, place }: { field: FormField; place: string }) {
	return (
		<>
			<legend className="px-1 font-medium font-mono text-13">
				{markedText(field.name === '' ? place : field.name)}
				{field.required && <span className="ml-2 font-normal font-sans text-12 text-muted">required</span>}
			</legend>
			{field.description !== '' && (
				<p className="text-12 text-muted">
					<ServerText text={field.description} />
				</p>
			)}
		</>
	);
}
