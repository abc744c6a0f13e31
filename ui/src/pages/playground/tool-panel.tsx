import { type KeyboardEvent, type SubmitEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { PlaygroundTool } from '../../../../src/admin/state.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Field } from '../../components/field.tsx';
import { TextArea } from '../../components/input.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Panel } from '../../components/panel.tsx';
import { ServerText } from '../../components/server-text.tsx';
import { type Draft, emptyDraft, fillAll, type Filled } from './draft.ts';
import { FieldControl } from './field-control.tsx';
import { formFields } from './form-field.ts';

export interface ToolPanelProps {
	tool: PlaygroundTool | undefined;
	running: boolean;
	onRun: (name: string, args: unknown) => void;
	onCancel: () => void;
}

/** The chosen tool and the form for its arguments. */
export function ToolPanel({ tool, running, onRun, onCancel }: ToolPanelProps) {
	return (
		<Panel title={tool === undefined ? 'Tool' : <ToolName tool={tool} />} fill className="flex-1">
			{tool === undefined ? (
				<EmptyState title="No tool is chosen.">Choose one from the list to fill in its arguments.</EmptyState>
			) : (
				// The form begins anew with each tool.
				<ToolForm key={tool.name} tool={tool} running={running} onRun={onRun} onCancel={onCancel} />
			)}
		</Panel>
	);
}

function ToolName({ tool }: { tool: PlaygroundTool }) {
	return (
		<span className="flex min-w-0 items-center gap-1">
			<span className="min-w-0 font-mono [overflow-wrap:anywhere]">
				<ServerText text={tool.name} />
			</span>
			<CopyButton text={tool.name} label="Copy the tool's name" />
		</span>
	);
}

function ToolForm({ tool, running, onRun, onCancel }: ToolPanelProps & { tool: PlaygroundTool }) {
	const fields = useMemo(() => formFields(tool.inputSchema), [tool.inputSchema]);
	const [draft, setDraft] = useState<Draft>(() =>
		fields === null ? '{}' : Object.fromEntries(fields.map((field) => [field.name, emptyDraft(field)])),
	);
	const [errors, setErrors] = useState<ReadonlyMap<string, string>>(new Map());
	const form = useRef<HTMLFormElement>(null);
	useEffect(() => {
		if (errors.size > 0) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
	}, [errors]);
	const run = (event: SubmitEvent<HTMLFormElement>) => {
		event.preventDefault();
		const filled = fields === null ? fillJson(draft) : fillAll(fields, draft);
		setErrors(filled.kind === 'wrong' ? filled.errors : new Map());
		if (filled.kind === 'value') onRun(tool.name, filled.value);
	};
	const hurry = (event: KeyboardEvent<HTMLFormElement>) => {
		if (!running && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
	};
	const drafts = draft as Readonly<Record<string, Draft>>;
	return (
		<form ref={form} noValidate className="flex flex-col gap-4 p-3" onSubmit={run} onKeyDown={hurry}>
			{tool.description !== undefined && (
				<p className="whitespace-pre-line text-13 text-muted [overflow-wrap:anywhere]">
					<ServerText text={tool.description} />
				</p>
			)}
			<Annotations annotations={tool.annotations ?? {}} />
			{fields === null ? (
				<Field label="arguments" note="JSON" error={errors.get('arguments')}>
					{(control) => (
						<TextArea
							{...control}
							rows={8}
							value={draft as string}
							onChange={(event) => setDraft(event.target.value)}
						/>
					)}
				</Field>
			) : (
				fields.map((field) => (
					<FieldControl
						key={field.name}
						field={field}
						place={field.name}
						draft={drafts[field.name] ?? ''}
						errors={errors}
						onChange={(changed) => setDraft({ ...drafts, [field.name]: changed })}
					/>
				))
			)}
			{fields?.length === 0 && <p className="text-13 text-muted">The tool takes no arguments.</p>}
			<div className="flex items-center gap-2">
				<Button variant="primary" type="submit" busy={running} title="Ctrl+Enter">
					{running ? 'Running…' : 'Run Tool'}
				</Button>
				{running && <Button onClick={onCancel}>Cancel</Button>}
			</div>
			<details>
				<summary className="text-12 text-muted underline">Schema</summary>
				<div className="mt-2 rounded-6 bg-sunken p-2">
					<JsonView value={tool.inputSchema} label="Copy the schema" />
				</div>
			</details>
		</form>
	);
}

function fillJson(draft: Draft): Filled {
	const wrong = (text: string): Filled => ({ kind: 'wrong', errors: new Map([['arguments', text]]) });
	try {
		const value = JSON.parse(draft as string) as unknown;
		const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
		return isObject ? { kind: 'value', value } : wrong('Arguments are a JSON object, such as {"name": "value"}.');
	} catch (error) {
		return wrong(`This is not JSON: ${error instanceof Error ? error.message : String(error)}`);
	}
}

const hints: readonly (readonly [string, string, 'plain' | 'warn'])[] = [
	['readOnlyHint', 'reads only', 'plain'],
	['destructiveHint', 'may destroy', 'warn'],
	['idempotentHint', 'idempotent', 'plain'],
	['openWorldHint', 'reaches outside', 'plain'],
];

/** What the server says of its tool; hints that nobody has checked. */
function Annotations({ annotations }: { annotations: Record<string, unknown> }) {
	const said = hints.filter(
		([key]) => annotations[key] === true && !(key === 'destructiveHint' && annotations['readOnlyHint'] === true),
	);
	if (said.length === 0) return null;
	return (
		<div className="flex flex-wrap gap-1">
			{said.map(([key, text, tone]) => (
				<Badge key={key} tone={tone}>
					{text}
				</Badge>
			))}
		</div>
	);
}
