import type { TargetView } from '../../../src/admin/state.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { ServerText } from '../components/server-text.tsx';
import { Status } from '../components/status.tsx';
import { counted } from './places.ts';

/** One target: its state in words, how it is reached, what it offers, and what it printed. */
export function Target({ target }: { target: TargetView }) {
	const offers = offersOf(target);
	return (
		<li className="flex flex-col gap-1 border-line border-t px-3 py-2 first:border-t-0" data-target={target.name}>
			<div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
				<h3 className="font-medium font-mono text-13">{target.name}</h3>
				<Status state={target.state} reason={target.reason} />
				<span className="ml-auto text-12 text-muted" title={target.since}>
					since {new Date(target.since).toLocaleTimeString()}
				</span>
			</div>
			<div className="flex min-w-0 items-center gap-1">
				<span className="w-14 shrink-0 text-12 text-muted">{target.kind === 'stdio' ? 'command' : 'URL'}</span>
				<code className="min-w-0 font-mono text-12 [overflow-wrap:anywhere]">{target.endpoint}</code>
				<CopyButton text={target.endpoint} label={`Copy the ${target.kind === 'stdio' ? 'command' : 'URL'}`} />
			</div>
			{offers !== '' && <p className="text-12 text-muted">{offers}</p>}
			{target.server !== null && (
				<p className="text-12 text-muted">
					<ServerText text={`${target.server.name} ${target.server.version}`} />, MCP {target.server.protocolVersion}
				</p>
			)}
			{target.remedy !== '' && <p className="text-13 [overflow-wrap:anywhere]">{target.remedy}</p>}
			{target.stderr.length > 0 && <Printed target={target} />}
		</li>
	);
}

function Printed({ target }: { target: TargetView }) {
	const text = target.stderr.join('\n');
	return (
		<details open={target.state === 'failed'}>
			<summary className="text-12 text-muted underline">
				What it printed{target.exitCode === null ? '' : ` (exit code ${target.exitCode})`}
				{target.signal === null ? '' : ` (ended by ${target.signal})`}
			</summary>
			<div className="mt-1 flex items-start gap-1 rounded-6 bg-sunken p-2">
				<pre
					tabIndex={0}
					className="max-h-48 min-w-0 flex-1 overflow-auto whitespace-pre-wrap font-mono text-12 [overflow-wrap:anywhere]"
				>
					<ServerText text={text} />
				</pre>
				<CopyButton text={text} label="Copy what it printed" />
			</div>
		</details>
	);
}

function offersOf({ tools, prompts, resources, connections, processes }: TargetView): string {
	const parts: string[] = [];
	if (tools !== null) parts.push(counted(tools, 'tool'));
	if (prompts !== null) parts.push(counted(prompts, 'prompt'));
	if (resources !== null) parts.push(counted(resources, 'resource'));
	if (connections > 0) parts.push(counted(connections, 'open connection'));
	if (processes > 0) parts.push(processes === 1 ? '1 process' : `${processes} processes`);
	return parts.join(' · ');
}
