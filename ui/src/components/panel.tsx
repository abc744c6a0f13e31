import clsx from 'clsx';
import { type ReactNode, useId } from 'react';

export interface PanelProps {
	title: ReactNode;
	actions?: ReactNode;
	children: ReactNode;
	/** The body fills the panel and scrolls by itself. */
	fill?: boolean;
	className?: string;
}

/** A bordered part of a page with a heading. */
export function Panel({ title, actions, children, fill = false, className }: PanelProps) {
	const id = useId();
	return (
		<section
			aria-labelledby={id}
			className={clsx('flex min-w-0 flex-col rounded-6 border border-line bg-raised', fill && 'min-h-0', className)}
		>
			<div className="flex min-h-10 shrink-0 items-center gap-2 border-line border-b px-3 py-1">
				<h2 id={id} className="min-w-0 font-semibold text-13">
					{title}
				</h2>
				{actions !== undefined && <div className="ml-auto flex items-center gap-1">{actions}</div>}
			</div>
			<div className={clsx('min-w-0', fill && 'min-h-0 flex-1 overflow-auto')}>{children}</div>
		</section>
	);
}
