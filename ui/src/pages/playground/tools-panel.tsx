import clsx from 'clsx';
import { type KeyboardEvent, useRef, useState } from 'react';
import type { PlaygroundTool } from '../../../../src/admin/state.ts';
import { TextInput } from '../../components/input.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { ServerText } from '../../components/server-text.tsx';

export interface ToolsPanelProps {
	/** null: not connected. */
	tools: readonly PlaygroundTool[] | null;
	selected: string | undefined;
	onSelect: (name: string) => void;
}

/** The tools that the route offers, found by any part of their name or description. */
export function ToolsPanel({ tools, selected, onSelect }: ToolsPanelProps) {
	const [filter, setFilter] = useState('');
	const list = useRef<HTMLUListElement>(null);
	const found = (tools ?? []).filter((tool) => matches(tool, filter));
	const move = (event: KeyboardEvent) => {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (step === undefined) return;
		event.preventDefault();
		const buttons = [...(list.current?.querySelectorAll('button') ?? [])];
		const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
		buttons[Math.min(Math.max(at + step, 0), buttons.length - 1)]?.focus();
	};
	return (
		<Panel
			title="Available Tools"
			fill
			className="flex-1"
			actions={tools !== null && <span className="text-12 text-muted">{countText(found.length, tools.length)}</span>}
		>
			{tools === null ? (
				<EmptyState title="Not connected.">Connect to a route to see what it offers.</EmptyState>
			) : (
				<div onKeyDown={move}>
					<div className="sticky top-0 border-line border-b bg-raised p-2">
						<TextInput
							type="search"
							aria-label="Filter the tools"
							placeholder="Filter by name or description"
							value={filter}
							onChange={(event) => setFilter(event.target.value)}
						/>
					</div>
					{found.length === 0 && (
						<EmptyState title={tools.length === 0 ? 'The route offers no tools.' : 'No tool matches.'} />
					)}
					<ul ref={list} className="p-1" aria-label="Tools">
						{found.map((tool) => (
							<li key={tool.name}>
								<button
									type="button"
									aria-pressed={tool.name === selected}
									onClick={() => onSelect(tool.name)}
									className={clsx(
										'flex w-full flex-col rounded-6 px-2 py-1.5 text-left hover:bg-sunken',
										tool.name === selected && 'bg-accent-soft',
									)}
								>
									<span className="font-mono text-13 [overflow-wrap:anywhere]">
										<ServerText text={tool.name} />
									</span>
									<span className="line-clamp-2 text-12 text-muted">
										<ServerText text={firstLine(tool.description ?? tool.title ?? '')} />
									</span>
								</button>
							</li>
						))}
					</ul>
				</div>
			)}
		</Panel>
	);
}

function matches({ name, title = '', description = '' }: PlaygroundTool, filter: string): boolean {
	return `${name} ${title} ${description}`.toLowerCase().includes(filter.trim().toLowerCase());
}

function countText(found: number, all: number): string {
	return found === all ? String(all) : `${found} of ${all}`;
}

function firstLine(text: string): string {
	return text.split('\n', 1)[0] ?? '';
}
