import clsx from 'clsx';
import { Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

const tones = {
	info: { icon: Info, border: 'border-info bg-info-soft', mark: 'text-info' },
	warn: { icon: TriangleAlert, border: 'border-warn bg-warn-soft', mark: 'text-warn' },
};

/** Something that holds now and that somebody should know, but no error. */
export function Notice({ tone, children }: { tone: keyof typeof tones; children: ReactNode }) {
	const { icon: Icon, border, mark } = tones[tone];
	return (
		<div role="status" className={clsx('flex gap-2 rounded-6 border p-3 text-13', border)}>
			<Icon className={clsx('mt-0.5 size-4 shrink-0', mark)} aria-hidden="true" />
			<div className="flex min-w-0 flex-1 flex-col gap-1 [overflow-wrap:anywhere]">{children}</div>
		</div>
	);
}
