import clsx from 'clsx';
import type { ButtonHTMLAttributes } from 'react';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
	variant?: 'primary' | 'secondary' | 'ghost';
	size?: 'sm' | 'md';
	/** Work is under way: it says so to screen readers and cannot be pressed again. */
	busy?: boolean;
}

const looks = {
	primary: 'bg-accent text-accent-text border-transparent hover:brightness-110',
	secondary: 'bg-raised text-text border-line-strong hover:bg-sunken',
	ghost: 'bg-transparent text-muted border-transparent hover:text-text hover:bg-sunken',
};

/** A button that says what happens. */
export function Button({
	variant = 'secondary',
	size = 'md',
	busy = false,
	className,
	disabled,
	...rest
}: ButtonProps) {
	return (
		<button
			type="button"
			aria-busy={busy || undefined}
			disabled={disabled === true || busy}
			className={clsx(
				'inline-flex shrink-0 items-center justify-center gap-1.5 whitespace-nowrap rounded-6 border font-medium transition-colors duration-[120ms]',
				'disabled:cursor-default disabled:opacity-55',
				size === 'sm' ? 'h-7 px-2 text-12' : 'h-8 px-3 text-13',
				looks[variant],
				className,
			)}
			{...rest}
		/>
	);
}
