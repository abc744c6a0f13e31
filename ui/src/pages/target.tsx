import type { ReactNode } from 'react';
import type { ProcessView, TargetView } from '../../../src/admin/state.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { ServerText } from '../components/server-text.tsx';
import { Status } from '../components/status.tsx';
import { Time } from '../components/time.tsx';
import { counted } from './places.ts';

/** One target: its state in words, how it is reached, what it offers, and what it printed. */
export function Target({ target }: { target: TargetView }) {
	const offers = offersOf(target);
	return (
		<li className="flex flex-col gap-1 border-line border-t px-3 py-2 first:border-t-0" data-target={target.name}>
			<div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
				<h3 className="font-medium font-mono text-13">{target.name}</h3>
				<Status state={target.state} reason={target.reason} />
				<span className="ml-auto text-12 text-muted">
					since <Time at={target.since} />
				</span>
			</div>
			<div className="flex min-w-0 items-start gap-1">
				<span className="w-16 shrink-0 py-1 text-12 text-muted">{target.kind === 'stdio' ? 'command' : 'URL'}</span>
				<code className="min-w-0 py-1 font-mono text-12 [overflow-wrap:anywhere]">{target.endpoint}</code>
				<CopyButton text={target.endpoint} label={`Copy the ${target.kind === 'stdio' ? 'command' : 'URL'}`} />
			</div>
			{target.process !== null && <Processes process={target.process} told={target.reason} />}
			<Circuit target={target} />
			{target.missingLists.map(({ list, reason }) => (
				<Row key={list} name={wordOf(list)}>
					<span className="font-medium text-bad">missing</span>
					<span className="text-muted">
						: <ServerText text={reason} />
					</span>
				</Row>
			))}
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

/** How its processes fare, when that is more than the state above says. `told`: what stands there already. */
function Processes({ process, told }: { process: ProcessView; told: string }) {
	const { state, reason, since, ends, junkLines } = process;
	const failing = state === 'crash-looping' || state === 'backing off';
	if (!failing && ends === 0 && junkLines === 0) return null;
	const parts: string[] = [];
	if (ends > 0) parts.push(`ended unasked ${ends === 1 ? 'once' : `${ends} times`}`);
	if (junkLines > 0)
		parts.push(`${counted(junkLines, 'line')} on stdout dropped, being no message${junkLines === 1 ? '' : 's'}`);
	return (
		<Row name="process">
			<span className={failing ? 'font-medium text-bad' : 'text-muted'}>{state}</span>
			<span className="text-muted">
				{' '}
				since <Time at={since} />
				{parts.map((part) => ` · ${part}`)}
				{reason !== '' && !told.includes(reason) && (
					<>
						{' '}
						· last: <ServerText text={reason} />
					</>
				)}
			</span>
		</Row>
	);
}

function Circuit({ target: { circuit, failures, retryAt, state } }: { target: TargetView }) {
	if (circuit === 'closed' && (state !== 'failed' || failures === 0)) return null;
	if (circuit === 'closed') {
		return (
			<Row name="next try">
				after a pause <span className="text-muted">· {counted(failures, 'failure')} in a row</span>
			</Row>
		);
	}
	return (
		<Row name="next try">
			{circuit === 'open' && retryAt !== null ? <Time at={retryAt} /> : 'under way'}
			<span className="text-muted">
				{' '}
				· {counted(failures, 'failure')} in a row · calls get an error until it succeeds
			</span>
		</Row>
	);
}

/** `resourceTemplates` → `templates` */
function wordOf(list: string): string {
	return list === 'resourceTemplates' ? 'templates' : list;
}

function Row({ name, children }: { name: string; children: ReactNode }) {
	return (
		<div className="flex min-w-0 items-baseline gap-1 text-12">
			<span className="w-16 shrink-0 text-muted">{name}</span>
			<p className="min-w-0 [overflow-wrap:anywhere]">{children}</p>
		</div>
	);
}

function Printed({ target }: { target: TargetView }) {
	const text = target.stderr.join('\n');
	return (
		<details open={target.state === 'failed' || target.process?.state === 'crash-looping'}>
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
