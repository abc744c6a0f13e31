import type { ReactNode } from 'react';

/** Names with values, in columns. */
export function Facts({ items }: { items: readonly (readonly [string, ReactNode])[] }) {
	return (
		<dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 text-13">
			{items.map(([name, value]) => (
				<div key={name} className="contents">
					<dt className="text-muted">{name}</dt>
					<dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
				</div>
			))}
		</dl>
	);
}
