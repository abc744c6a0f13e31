import { Link } from '@tanstack/react-router';
import clsx from 'clsx';
import { Home, type LucideIcon, Play, Radio, Route, Server } from 'lucide-react';

interface Entry {
	to: string;
	name: string;
	icon: LucideIcon;
}

const entries: readonly Entry[] = [
	{ to: '/', name: 'Home', icon: Home },
	{ to: '/listeners', name: 'Listeners', icon: Radio },
	{ to: '/routes', name: 'Routes', icon: Route },
	{ to: '/backends', name: 'Backends', icon: Server },
	{ to: '/playground', name: 'Playground', icon: Play },
];

/** The list of pages. `narrow`: icons only, their names for screen readers and as hints. */
export function Navigation({ narrow, onChoose }: { narrow: boolean; onChoose?: () => void }) {
	return (
		<nav aria-label="Pages" className="flex flex-col gap-0.5 p-2">
			{entries.map(({ to, name, icon: Icon }) => (
				<Link
					key={to}
					to={to}
					activeOptions={{ exact: to === '/', includeSearch: false }}
					{...(narrow ? { title: name } : {})}
					{...(onChoose === undefined ? {} : { onClick: onChoose })}
					className={clsx(
						'flex h-8 items-center gap-2.5 rounded-6 px-2 text-13 text-muted hover:bg-sunken hover:text-text',
						'aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent',
					)}
				>
					<Icon className="size-4 shrink-0" aria-hidden="true" />
					<span className={narrow ? 'sr-only' : undefined}>{name}</span>
				</Link>
			))}
		</nav>
	);
}
