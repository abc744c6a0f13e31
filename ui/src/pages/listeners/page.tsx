import { EmptyState } from '../../components/empty-state.tsx';
import { Facts } from '../../components/facts.tsx';
import { Panel } from '../../components/panel.tsx';
import { LivePage } from '../live.tsx';
import { counted } from '../places.ts';

export function ListenersPage() {
	return (
		<LivePage
			title="Listeners"
			summary={({ binds }) => {
				const listeners = binds.reduce((sum, bind) => sum + bind.listeners.length, 0);
				return `${counted(listeners, 'listener')} on ${counted(binds.length, 'port')}`;
			}}
		>
			{({ binds }) =>
				binds.length === 0 ? (
					<EmptyState title="No port is configured.">
						A bind opens a port; its listeners choose by host name.
					</EmptyState>
				) : (
					<div className="flex flex-col gap-4">
						{binds.map((bind) => (
							<Panel key={bind.key} title={`Port ${bind.port}`}>
								<div className="border-line border-b px-3 py-2">
									<Facts items={[['Listening on', bind.addresses.join(', ') || 'not open']]} />
								</div>
								<ul>
									{bind.listeners.map((listener) => (
										<li key={listener.name} className="border-line border-t px-3 py-2 first:border-t-0">
											<h3 className="mb-1 font-medium font-mono text-13">{listener.name}</h3>
											<Facts
												items={[
													['Protocol', listener.protocol],
													['Host name', listener.hostname ?? 'any'],
													['Gateway', listener.gateway],
													['Routes', listener.routes.map((route) => route.label).join(', ') || 'none'],
												]}
											/>
										</li>
									))}
								</ul>
							</Panel>
						))}
					</div>
				)
			}
		</LivePage>
	);
}
