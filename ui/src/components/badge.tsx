import clsx from 'clsx';
import type { ReactNode } from 'react';

const tones = {
	plain: 'border-line text-muted',
	info: 'border-transparent bg-info-soft text-info',
	warn: 'border-transparent bg-warn-soft text-warn',
	accent: 'border-transparent bg-accent-soft text-accent',
};

/** A short fact beside a name. */
export function Badge({ tone = 'plain', children }: { tone?: keyof typeof tones; children: ReactNode }) {
	return (
		<span className={clsx('inline-flex h-5 shrink-0 items-center rounded border px-1.5 text-12', tones[tone])}>
			{children}
		</span>
	);
}
