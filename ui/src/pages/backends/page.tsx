import { Badge } from '../../components/badge.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { LivePage } from '../live.tsx';
import { allBackends, counted, type PlacedBackend } from '../places.ts';
import { Target } from '../target.tsx';

export function BackendsPage() {
	return (
		<LivePage
			title="Backends"
			summary={(state) => {
				const backends = allBackends(state);
				return (
					<span className="flex gap-2">
						<span>
							{backends.length} total {backends.length === 1 ? 'backend' : 'backends'}
						</span>
						<span aria-hidden="true">·</span>
						<span>{backends.length} MCP</span>
					</span>
				);
			}}
		>
			{(state) =>
				allBackends(state).length === 0 ? (
					<EmptyState title="No backend is configured.">
						A backend is one or more MCP servers behind a route.
					</EmptyState>
				) : (
					<div className="flex flex-col gap-4">
						{allBackends(state).map((placed) => (
							<BackendPanel key={placed.backend.key} placed={placed} />
						))}
					</div>
				)
			}
		</LivePage>
	);
}

function BackendPanel({ placed: { place, backend } }: { placed: PlacedBackend }) {
	return (
		<Panel
			title={`MCP: ${backend.targets.map(({ name }) => name).join(', ')}`}
			actions={<Badge>{counted(backend.targets.length, 'target')}</Badge>}
		>
			<p className="border-line border-b px-3 py-2 text-12 text-muted">
				{place.route.label} on port {place.bind.port} · weight {backend.weight} · {backend.statefulMode} · prefix{' '}
				{backend.prefixMode} · {backend.failureMode}
			</p>
			<ul>
				{backend.targets.map((target) => (
					<Target key={target.id} target={target} />
				))}
			</ul>
		</Panel>
	);
}
