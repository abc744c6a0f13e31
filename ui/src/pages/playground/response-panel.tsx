import clsx from 'clsx';
import { Tabs } from 'radix-ui';
import type { PlaygroundResult } from '../../../../src/admin/state.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Select } from '../../components/input.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Panel } from '../../components/panel.tsx';
import { markedText } from '../../components/hidden-characters.ts';
import { ServerText } from '../../components/server-text.tsx';
import { type Content, contentsOf, outcomeOf, structuredOf } from './response.ts';
import type { Run, Runs } from './runs.ts';

/** What came back from the calls of this page. */
export function ResponsePanel({ runs }: { runs: Runs }) {
	const { shown } = runs;
	return (
		<Panel
			title="Response"
			fill
			className="flex-1"
			actions={
				runs.runs.length > 1 && (
					<Select
						aria-label="Calls of this page"
						className="max-w-56"
						value={String(shown?.number)}
						options={runs.runs.map((run) => ({
							value: String(run.number),
							label: `${run.number}. ${markedText(run.tool)}, ${run.startedAt.toLocaleTimeString()}`,
						}))}
						onChange={(event) => runs.show(Number(event.target.value))}
					/>
				)
			}
		>
			<div aria-live="polite" className="p-3">
				{shown === undefined ? <EmptyState title="Nothing was run yet." /> : <RunView run={shown} />}
			</div>
		</Panel>
	);
}

function RunView({ run: { outcome, args } }: { run: Run }) {
	if (outcome.kind === 'running') return <p className="text-13 text-muted">Waiting for the answer…</p>;
	if (outcome.kind === 'cancelled') return <p className="text-13 text-muted">The call was cancelled.</p>;
	if (outcome.kind === 'failed') {
		const { failure } = outcome;
		return <ErrorState title={failure.message} remedy={failure.remedy} detail={failure.detail} />;
	}
	return <Answer result={outcome.result} args={args} />;
}

function Answer({ result, args }: { result: PlaygroundResult; args: unknown }) {
	const outcome = outcomeOf(result);
	return (
		<Tabs.Root defaultValue="result" className="flex flex-col gap-3">
			<div className="flex flex-wrap items-center gap-x-3 gap-y-2">
				<p
					className={clsx(
						'font-medium text-13 [overflow-wrap:anywhere]',
						outcome.kind === 'ok' ? 'text-ok' : 'text-bad',
					)}
				>
					<ServerText text={outcome.text} />
				</p>
				<span className="text-12 text-muted">
					{Math.round(result.durationMs)} ms · HTTP {result.httpStatus}
				</span>
				<Tabs.List aria-label="Ways to see the response" className="ml-auto flex rounded-6 border border-line">
					<Tab value="result">Result</Tab>
					<Tab value="raw">JSON-RPC</Tab>
					<Tab value="sent">Sent</Tab>
				</Tabs.List>
			</div>
			<Tabs.Content value="result">
				<Result result={result} />
			</Tabs.Content>
			<Tabs.Content value="raw">
				<JsonView value={result.response} label="Copy the response" />
			</Tabs.Content>
			<Tabs.Content value="sent">
				<JsonView value={args} label="Copy the arguments" />
			</Tabs.Content>
			{result.notifications.length > 0 && (
				<details>
					<summary className="text-12 text-muted underline">
						{result.notifications.length} notifications before it
					</summary>
					<div className="mt-2">
						<JsonView value={result.notifications} label="Copy the notifications" />
					</div>
				</details>
			)}
		</Tabs.Root>
	);
}

function Tab({ value, children }: { value: string; children: string }) {
	return (
		<Tabs.Trigger
			value={value}
			className="h-7 px-2 text-12 text-muted first:rounded-l-6 last:rounded-r-6 data-[state=active]:bg-sunken data-[state=active]:font-medium data-[state=active]:text-text"
		>
			{children}
		</Tabs.Trigger>
	);
}

function Result({ result }: { result: PlaygroundResult }) {
	const contents = contentsOf(result);
	const structured = structuredOf(result);
	if (contents.length === 0 && structured === undefined) {
		return <JsonView value={result.response['error'] ?? result.response['result']} />;
	}
	return (
		<div className="flex flex-col gap-3">
			{contents.map((content, index) => (
				// Blocks have no names.
				<div key={index} className="min-w-0 rounded-6 bg-sunken p-2">
					<Block content={content} />
				</div>
			))}
			{structured !== undefined && (
				<section aria-label="Structured content">
					<h3 className="mb-1 text-12 text-muted">Structured content</h3>
					<div className="rounded-6 bg-sunken p-2">
						<JsonView value={structured} />
					</div>
				</section>
			)}
		</div>
	);
}

function Block({ content }: { content: Content }) {
	switch (content.kind) {
		case 'text':
			return content.json === undefined ? (
				<pre className="whitespace-pre-wrap font-mono text-13 [overflow-wrap:anywhere]">
					<ServerText text={content.text} />
				</pre>
			) : (
				<JsonView value={content.json} />
			);
		case 'image':
			return <img src={content.source} alt="Returned by the tool" className="max-h-96 max-w-full" />;
		case 'audio':
			return <audio controls src={content.source} />;
		case 'link':
			return (
				<p className="text-13 [overflow-wrap:anywhere]">
					<ServerText text={content.name} />:{' '}
					<code className="font-mono">
						<ServerText text={content.uri} />
					</code>
				</p>
			);
		case 'other':
			return <JsonView value={content.value} />;
	}
}
