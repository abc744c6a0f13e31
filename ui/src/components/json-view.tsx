import { CopyButton } from './copy-button.tsx';
import { ServerText } from './server-text.tsx';

/** More members of one object are not drawn; the copy button has them all. */
const shown = 200;
const openDepth = 3;

/** A JSON value as a tree that folds. */
export function JsonView({ value, label = 'Copy as JSON' }: { value: unknown; label?: string }) {
	return (
		<div className="relative min-w-0 font-mono text-12">
			<div className="absolute top-0 right-0 z-10 rounded-6 bg-raised">
				<CopyButton text={JSON.stringify(value, null, 2)} label={label} />
			</div>
			<div className="overflow-x-auto pr-7 [overflow-wrap:anywhere]">
				<Value value={value} depth={0} />
			</div>
		</div>
	);
}

function Value({ value, depth, name }: { value: unknown; depth: number; name?: string }) {
	if (typeof value !== 'object' || value === null) {
		return (
			<div>
				<Name name={name} />
				<Leaf value={value} />
			</div>
		);
	}
	const entries = Object.entries(value);
	const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
	if (entries.length === 0) {
		return (
			<div>
				<Name name={name} />
				<span className="text-muted">
					{open}
					{close}
				</span>
			</div>
		);
	}
	return (
		<details open={depth < openDepth} className="group">
			<summary className="list-none">
				<span className="inline-block w-3 text-muted group-open:hidden" aria-hidden="true">
					▸
				</span>
				<span className="hidden w-3 text-muted group-open:inline-block" aria-hidden="true">
					▾
				</span>
				<Name name={name} />
				<span className="text-muted">
					{open}
					<span className="group-open:hidden">
						{entries.length} {entries.length === 1 ? 'item' : 'items'}
						{close}
					</span>
				</span>
			</summary>
			<div className="ml-1 border-line border-l pl-3">
				{entries.slice(0, shown).map(([key, member]) => (
					<Value key={key} value={member} depth={depth + 1} {...(Array.isArray(value) ? {} : { name: key })} />
				))}
				{entries.length > shown && <div className="text-muted">… {entries.length - shown} more</div>}
			</div>
			<span className="text-muted">{close}</span>
		</details>
	);
}

function Name({ name }: { name: string | undefined }) {
	if (name === undefined) return null;
	return (
		<span className="text-accent">
			<ServerText text={name} />
			<span className="text-muted">: </span>
		</span>
	);
}

function Leaf({ value }: { value: unknown }) {
	if (typeof value === 'string') {
		return (
			<span className="whitespace-pre-wrap text-ok">
				"<ServerText text={value} />"
			</span>
		);
	}
	return <span className="text-info">{String(value)}</span>;
}
