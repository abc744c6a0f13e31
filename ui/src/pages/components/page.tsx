import { useState } from 'react';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { Field } from '../../components/field.tsx';
import { Select, TextArea, TextInput } from '../../components/input.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/panel.tsx';
import { ServerText } from '../../components/server-text.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Status, type StatusState } from '../../components/status.tsx';

const states: readonly StatusState[] = ['idle', 'starting', 'ready', 'degraded', 'failed'];
const sample = { text: 'a\u202eb', number: 1.5, yes: true, none: null, list: [1, 2, { deep: { deeper: {} } }] };

/** Every component in each of its states, for those who change them. No page leads here. */
export function ComponentsPage() {
	const [text, setText] = useState('America/New_York');
	return (
		<Page title="Components" summary="The parts that pages are made of.">
			<div className="flex flex-col gap-4">
				<Panel title="Buttons">
					<div className="flex flex-wrap gap-2 p-3">
						<Button variant="primary">Primary</Button>
						<Button>Secondary</Button>
						<Button variant="ghost">Ghost</Button>
						<Button variant="primary" busy>
							Busy
						</Button>
						<Button disabled>Disabled</Button>
						<Button size="sm">Small</Button>
					</div>
				</Panel>
				<Panel title="Status">
					<div className="flex flex-wrap gap-4 p-3">
						{states.map((state) => (
							<Status key={state} state={state} />
						))}
						<Status state="failed" reason="command `uvx` was not found" />
						<Badge>plain</Badge>
						<Badge tone="info">info</Badge>
						<Badge tone="warn">warn</Badge>
						<Badge tone="accent">accent</Badge>
					</div>
				</Panel>
				<Panel title="Fields">
					<div className="grid gap-4 p-3 sm:grid-cols-2">
						<Field label="timezone" note="string" required hint="An IANA name.">
							{(control) => <TextInput {...control} value={text} onChange={(event) => setText(event.target.value)} />}
						</Field>
						<Field label="count" note="integer" error="This must be a whole number.">
							{(control) => <TextInput {...control} defaultValue="1.5" />}
						</Field>
						<Field label="kind">
							{(control) => <Select {...control} options={[{ value: 'a', label: 'First' }]} />}
						</Field>
						<Field label="arguments" note="JSON">
							{(control) => <TextArea {...control} defaultValue="{}" />}
						</Field>
					</div>
				</Panel>
				<Panel title="Values">
					<div className="flex flex-col gap-3 p-3">
						<JsonView value={sample} />
						<p>
							<ServerText text={'hidden\u200b and turned\u202e characters'} />
						</p>
					</div>
				</Panel>
				<Panel title="Nothing, waiting, wrong">
					<EmptyState title="No route is configured." action={<Button>Add a route</Button>}>
						A route leads from a listener to backends.
					</EmptyState>
					<div className="flex flex-col gap-3 p-3">
						<Skeleton rows={2} />
						<ErrorState
							title="`time` could not start: command `uvx` was not found."
							remedy="Install uv, or change the command."
							detail="spawn uvx ENOENT"
						/>
					</div>
				</Panel>
			</div>
		</Page>
	);
}
