import type { ReactNode } from 'react';

/** What a place is for while nothing is in it, with at most one thing to do. */
export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
	return (
		<div className="flex flex-col items-start gap-2 p-4 text-13 text-muted">
			<p className="font-medium text-text">{title}</p>
			{children !== undefined && <div className="max-w-prose">{children}</div>}
			{action}
		</div>
	);
}
