import { OctagonX } from 'lucide-react';
import type { ReactNode } from 'react';
import { CopyButton } from './copy-button.tsx';
import { ServerText } from './server-text.tsx';

export interface ErrorStateProps {
	title: string;
	remedy?: string;
	detail?: string;
	action?: ReactNode;
	/** What does not go into one sentence, such as a list. */
	children?: ReactNode;
}

/** What happened, what to do, and the technical detail folded below. */
export function ErrorState({ title, remedy = '', detail = '', action, children }: ErrorStateProps) {
	return (
		<div role="alert" className="flex gap-2 rounded-6 border border-bad bg-bad-soft p-3 text-13">
			<OctagonX className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden="true" />
			<div className="flex min-w-0 flex-1 flex-col gap-1">
				<p className="font-medium [overflow-wrap:anywhere]">
					<ServerText text={title} />
				</p>
				{remedy !== '' && (
					<p className="[overflow-wrap:anywhere]">
						<ServerText text={remedy} />
					</p>
				)}
				{children}
				{detail !== '' && (
					<details className="mt-1">
						<summary className="text-12 text-muted underline">Technical detail</summary>
						<div className="mt-1 flex items-start gap-1">
							<pre className="min-w-0 flex-1 whitespace-pre-wrap font-mono text-12 [overflow-wrap:anywhere]">
								<ServerText text={detail} />
							</pre>
							<CopyButton text={detail} label="Copy the detail" />
						</div>
					</details>
				)}
				{action !== undefined && <div className="mt-1">{action}</div>}
			</div>
		</div>
	);
}
