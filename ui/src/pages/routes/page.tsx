import { Link } from '@tanstack/react-router';
import { Badge } from '../../components/badge.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Facts } from '../../components/facts.tsx';
import { Panel } from '../../components/panel.tsx';
import { LivePage } from '../live.tsx';
import { allRoutes, counted, type PlacedRoute } from '../places.ts';

export function RoutesPage() {
	return (
		<LivePage title="Routes" summary={(state) => counted(allRoutes(state).length, 'route')}>
			{(state) =>
				allRoutes(state).length === 0 ? (
					<EmptyState title="No route is configured.">
						A route leads from a listener to backends, by path and host.
					</EmptyState>
				) : (
					<div className="flex flex-col gap-4">
						{allRoutes(state).map((place) => (
							<RoutePanel key={place.id} place={place} />
						))}
					</div>
				)
			}
		</LivePage>
	);
}

function RoutePanel({ place: { id, bind, listener, route } }: { place: PlacedRoute }) {
	const url = (
		<span className="flex min-w-0 items-center gap-1">
			<code className="min-w-0 font-mono text-12 [overflow-wrap:anywhere]">{route.url}</code>
			<CopyButton text={route.url} label="Copy the URL for clients" />
		</span>
	);
	return (
		<Panel
			title={route.label}
			actions={
				<Link to="/playground" search={{ route: id }} className="px-1 text-13 text-accent underline underline-offset-2">
					Try it in the Playground
				</Link>
			}
		>
			<div className="p-3">
				<Facts
					items={[
						['URL for clients', url],
						['Listener', `${listener.name} on port ${bind.port}`],
						['Host names', route.hostnames.join(', ') || 'any'],
						[
							'Matches',
							<code key="m" className="font-mono text-12">
								{route.matches.join(', ')}
							</code>,
						],
						['Policies', route.policies.length === 0 ? 'none' : <Policies key="p" names={route.policies} />],
						[
							'Backends',
							route.backends.map(({ targets }) => `MCP: ${targets.map(({ name }) => name).join(', ')}`).join('; ') ||
								'none',
						],
					]}
				/>
			</div>
		</Panel>
	);
}

function Policies({ names }: { names: readonly string[] }) {
	return (
		<span className="flex flex-wrap gap-1">
			{names.map((name) => (
				<Badge key={name}>{name}</Badge>
			))}
		</span>
	);
}
