import clsx from 'clsx';
import type { InputHTMLAttributes, SelectHTMLAttributes, TextareaHTMLAttributes } from 'react';

const look =
	'w-full min-w-0 rounded-6 border border-line-strong bg-raised px-2 text-13 text-text aria-[invalid]:border-bad';

export function TextInput({ className, ...rest }: InputHTMLAttributes<HTMLInputElement>) {
	return <input type="text" autoComplete="off" spellCheck={false} className={clsx(look, 'h-8', className)} {...rest} />;
}

export function TextArea({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
	return <textarea rows={3} spellCheck={false} className={clsx(look, 'py-1.5 font-mono', className)} {...rest} />;
}

export interface SelectProps extends SelectHTMLAttributes<HTMLSelectElement> {
	options: readonly { value: string; label: string }[];
}

/** The browser's own list: every platform's people know it, and it works by keyboard and touch. */
export function Select({ className, options, ...rest }: SelectProps) {
	return (
		<select className={clsx(look, 'h-8', className)} {...rest}>
			{options.map(({ value, label }) => (
				<option key={value} value={value}>
					{label}
				</option>
			))}
		</select>
	);
}
