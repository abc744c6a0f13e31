import clsx from 'clsx';
import { useState } from 'react';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Field } from '../../components/field.tsx';
import { TextInput } from '../../components/input.tsx';
import { Panel } from '../../components/panel.tsx';
import type { PlacedRoute } from '../places.ts';
import type { Connection } from './connection.ts';

export interface RoutesPanelProps {
	routes: readonly PlacedRoute[];
	selected: PlacedRoute | undefined;
	connection: Connection;
	onSelect: (route: PlacedRoute) => void;
	onConnect: (route: PlacedRoute, bearerToken: string) => void;
	onDisconnect: () => void;
}

/** Which route to try, and the session on it. */
export function RoutesPanel({ routes, selected, connection, onSelect, onConnect, onDisconnect }: RoutesPanelProps) {
	const [token, setToken] = useState('');
	return (
		<Panel title="Routes">
			{routes.length === 0 && (
				<EmptyState title="No route is configured.">Add one to the configuration file.</EmptyState>
			)}
			<ul className="p-1">
				{routes.map((place) => (
					<li key={place.id}>
						<button
							type="button"
							aria-pressed={place.id === selected?.id}
							onClick={() => onSelect(place)}
							className={clsx(
								'flex min-h-9 w-full items-center gap-2 rounded-6 px-2 text-left text-13 hover:bg-sunken',
								place.id === selected?.id && 'bg-accent-soft',
							)}
						>
							<span className="font-medium">{place.route.label}</span>
							<span className="min-w-0 font-mono text-12 text-muted [overflow-wrap:anywhere]">
								:{place.bind.port} {place.listener.hostname ?? ''} {place.route.matches.join(', ')}
							</span>
						</button>
					</li>
				))}
			</ul>
			{selected !== undefined && (
				<form
					className="flex flex-col gap-2 border-line border-t p-3"
					onSubmit={(event) => {
						event.preventDefault();
						onConnect(selected, token);
					}}
				>
					<div className="flex min-w-0 items-center gap-1">
						<code className="min-w-0 flex-1 font-mono text-12 [overflow-wrap:anywhere]">{selected.route.url}</code>
						<CopyButton text={selected.route.url} label="Copy the URL for clients" />
					</div>
					<details>
						<summary className="text-12 text-muted underline">Bearer token</summary>
						<div className="mt-2">
							<Field label="token" hint="Sent as Authorization: Bearer; kept nowhere.">
								{(control) => (
									<TextInput
										{...control}
										type="password"
										value={token}
										onChange={(event) => setToken(event.target.value)}
									/>
								)}
							</Field>
						</div>
					</details>
					<ConnectButtons connection={connection} route={selected.id} onDisconnect={onDisconnect} />
				</form>
			)}
			{connection.phase === 'failed' && connection.route === selected?.id && (
				<div className="px-3 pb-3">
					<ErrorState
						title={connection.failure.message}
						remedy={connection.failure.remedy}
						detail={connection.failure.detail}
					/>
				</div>
			)}
		</Panel>
	);
}

function ConnectButtons({
	connection,
	route,
	onDisconnect,
}: {
	connection: Connection;
	route: string;
	onDisconnect: () => void;
}) {
	const here = connection.phase !== 'none' && connection.route === route;
	if (here && connection.phase === 'open') {
		const { session } = connection;
		return (
			<div className="flex flex-wrap items-center gap-2">
				<Button onClick={onDisconnect}>Disconnect</Button>
				<span role="status" className="text-12 text-muted">
					Connected in {Math.round(session.durationMs)} ms, MCP {session.protocolVersion}
				</span>
			</div>
		);
	}
	const connecting = here && connection.phase === 'connecting';
	return (
		<div className="flex items-center gap-2">
			<Button variant="primary" type="submit" busy={connecting}>
				{connecting ? 'Connecting…' : 'Connect'}
			</Button>
			{connecting && <Button onClick={onDisconnect}>Cancel</Button>}
		</div>
	);
}
