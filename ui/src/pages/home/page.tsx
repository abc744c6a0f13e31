import { Link } from '@tanstack/react-router';
import { TriangleAlert } from 'lucide-react';
import type { StateSnapshot } from '../../../../src/admin/state.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { ServerText } from '../../components/server-text.tsx';
import { allBackends, allRoutes, allTargets, counted } from '../places.ts';
import { LivePage } from '../live.tsx';
import { Target } from '../target.tsx';

export function HomePage() {
	return (
		<LivePage title="Home" summary={(state) => <ServerText text={healthSentence(state)} />}>
			{(state) => (
				<div className="flex flex-col gap-4">
					<Counts state={state} />
					{state.warnings.length > 0 && <Warnings warnings={state.warnings} />}
					<Panel title="Targets">
						{allTargets(state).length === 0 ? (
							<EmptyState title="No target is configured.">
								A target is an MCP server behind the gateway: a command, or a URL. Add one to the configuration file.
							</EmptyState>
						) : (
							<ul>
								{allTargets(state).map((target) => (
									<Target key={target.id} target={target} />
								))}
							</ul>
						)}
					</Panel>
					<p className="text-12 text-muted [overflow-wrap:anywhere]">
						Configuration: <code className="font-mono">{state.configSource}</code>. Running since{' '}
						{new Date(state.startedAt).toLocaleString()}.
					</p>
				</div>
			)}
		</LivePage>
	);
}

function healthSentence(state: StateSnapshot): string {
	const targets = allTargets(state);
	if (targets.length === 0) return 'Nothing is behind the gateway yet.';
	const failed = targets.filter((target) => target.state === 'failed');
	const ready = targets.filter((target) => target.state === 'ready').length;
	const away = failed.map((target) => `${target.name}: ${target.reason}`).join('; ');
	return `${ready} of ${counted(targets.length, 'target')} ready${away === '' ? '.' : `; ${away}.`}`;
}

function Counts({ state }: { state: StateSnapshot }) {
	const listeners = state.binds.reduce((sum, bind) => sum + bind.listeners.length, 0);
	const counts: readonly { name: string; value: string; to?: string }[] = [
		{ name: 'Listeners', value: String(listeners), to: '/listeners' },
		{ name: 'Routes', value: String(allRoutes(state).length), to: '/routes' },
		{ name: 'Backends', value: String(allBackends(state).length), to: '/backends' },
		{ name: 'Open sessions', value: String(state.sessions) },
		{ name: 'Requests', value: state.requests.toLocaleString('en') },
		{ name: 'Child processes', value: String(state.childProcesses) },
		{ name: 'Memory', value: `${Math.round(state.memoryBytes / 1e6)} MB` },
	];
	return (
		<dl className="grid grid-cols-2 gap-px overflow-hidden rounded-6 border border-line bg-line sm:grid-cols-4 lg:grid-cols-7">
			{counts.map(({ name, value, to }) => (
				<div key={name} className="flex flex-col bg-raised px-3 py-2 nth-7:col-span-2 sm:nth-7:col-span-1">
					<dt className="text-12 text-muted">
						{to === undefined ? (
							name
						) : (
							<Link to={to} className="underline decoration-line-strong underline-offset-2 hover:text-text">
								{name}
							</Link>
						)}
					</dt>
					<dd className="font-semibold text-20">{value}</dd>
				</div>
			))}
			<div className="hidden bg-raised sm:block lg:hidden" aria-hidden="true" />
		</dl>
	);
}

function Warnings({ warnings }: { warnings: readonly string[] }) {
	return (
		<Panel
			title={
				<span className="flex items-center gap-1.5">
					<TriangleAlert className="size-4 text-warn" aria-hidden="true" />
					{counted(warnings.length, 'warning')} about the configuration
				</span>
			}
		>
			<ul className="flex flex-col gap-1 p-3 text-13">
				{warnings.map((warning) => (
					<li key={warning} className="[overflow-wrap:anywhere]">
						{warning}
					</li>
				))}
			</ul>
		</Panel>
	);
}
