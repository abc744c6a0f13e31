import { useNavigate, useSearch } from '@tanstack/react-router';
import { useLiveState } from '../../api/live-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Page } from '../../components/page.tsx';
import { Panes } from '../../components/panes.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { allRoutes, type PlacedRoute } from '../places.ts';
import { usePlaygroundConnection } from './connection.ts';
import { ResponsePanel } from './response-panel.tsx';
import { RoutesPanel } from './routes-panel.tsx';
import { useRuns } from './runs.ts';
import { ToolPanel } from './tool-panel.tsx';
import { ToolsPanel } from './tools-panel.tsx';

const sizes = [28, 34, 38];
const dividers = ['Width of routes and tools', 'Width of the form'];

/** Opens an MCP session through the gateway's own listener and calls tools in it, as any client would. */
export function PlaygroundPage() {
	const { state, failure } = useLiveState();
	const search = useSearch({ from: '/playground' });
	const navigate = useNavigate({ from: '/playground' });
	const { connection, connect, disconnect, call } = usePlaygroundConnection();
	const runs = useRuns(call);
	if (state === undefined) {
		return (
			<Page title="Playground" wide>
				{failure === null ? (
					<Skeleton />
				) : (
					<ErrorState title={failure.message} remedy={failure.remedy} detail={failure.detail} />
				)}
			</Page>
		);
	}
	const routes = allRoutes(state);
	const selected = routes.find(({ id }) => id === search.route) ?? (routes.length === 1 ? routes[0] : undefined);
	const session = connection.phase === 'open' && connection.route === selected?.id ? connection.session : null;
	const tool = session?.tools.find(({ name }) => name === search.tool);
	const leave = () => {
		runs.cancel();
		disconnect();
	};
	const select = (route: PlacedRoute) => {
		if (route.id !== selected?.id) leave();
		void navigate({ search: { route: route.id } });
	};
	return (
		<Page title="Playground" wide>
			<Panes id="playground" sizes={sizes} dividers={dividers}>
				<div className="flex flex-col gap-3 lg:min-h-0 lg:flex-1">
					<RoutesPanel
						routes={routes}
						selected={selected}
						connection={connection}
						onSelect={select}
						onConnect={(place, token) => connect(place.id, requestFor(place, token))}
						onDisconnect={leave}
					/>
					<ToolsPanel
						tools={session?.tools ?? null}
						selected={tool?.name}
						onSelect={(name) => void navigate({ search: (now) => ({ ...now, route: selected?.id ?? '', tool: name }) })}
					/>
				</div>
				<ToolPanel
					tool={tool}
					running={runs.runs[0]?.outcome.kind === 'running'}
					onRun={runs.start}
					onCancel={runs.cancel}
				/>
				<ResponsePanel runs={runs} />
			</Panes>
		</Page>
	);
}

function requestFor({ bind, listener, route }: PlacedRoute, bearerToken: string) {
	const place = { bind: bind.key, listener: listener.name, route: route.key };
	return bearerToken === '' ? place : { ...place, bearerToken };
}
