import { type ReactNode, useId } from 'react';

/** What the control of a field must carry. */
export interface ControlProps {
	id: string;
	'aria-describedby'?: string | undefined;
	'aria-invalid'?: true | undefined;
	'aria-required'?: true | undefined;
}

export interface FieldProps {
	label: string;
	/** Beside the label, such as a type. */
	note?: string;
	hint?: ReactNode;
	error?: string | undefined;
	required?: boolean;
	children: (control: ControlProps) => ReactNode;
}

/** A label with its control, hint and error, tied together for screen readers. */
export function Field({ label, note, hint, error, required = false, children }: FieldProps) {
	const id = useId();
	const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`]
		.filter((one) => one !== '')
		.join(' ');
	return (
		<div className="flex flex-col gap-1">
			<div className="flex items-baseline gap-2">
				<label htmlFor={id} className="font-medium font-mono text-13">
					{label}
				</label>
				{required && <span className="text-12 text-muted">required</span>}
				{note !== undefined && <span className="ml-auto text-12 text-muted">{note}</span>}
			</div>
			{hint !== undefined && (
				<div id={`${id}-hint`} className="text-12 text-muted">
					{hint}
				</div>
			)}
			{children({
				id,
				'aria-describedby': described === '' ? undefined : described,
				'aria-invalid': error === undefined ? undefined : true,
				'aria-required': required ? true : undefined,
			})}
			{error !== undefined && (
				<p id={`${id}-error`} className="text-12 text-bad">
					{error}
				</p>
			)}
		</div>
	);
}
