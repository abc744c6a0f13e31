import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

/** Copies a text and says that it did. */
export function CopyButton({ text, label }: { text: string; label: string }) {
	const [copied, setCopied] = useState(false);
	useEffect(() => {
		if (!copied) return;
		const timer = setTimeout(() => setCopied(false), 1500);
		return () => clearTimeout(timer);
	}, [copied]);
	const Icon = copied ? Check : Copy;
	return (
		<button
			type="button"
			aria-label={copied ? 'Copied' : label}
			title={label}
			className="inline-flex size-6 shrink-0 items-center justify-center rounded-6 text-muted hover:bg-sunken hover:text-text"
			onClick={() => void copy(text).then(setCopied)}
		>
			<Icon className="size-3.5" aria-hidden="true" />
		</button>
	);
}

async function copy(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		// Without https the browser keeps its clipboard; the older way works everywhere.
		const area = document.createElement('textarea');
		area.value = text;
		document.body.append(area);
		area.select();
		// oxlint-disable-next-line typescript/no-deprecated
		const done = document.execCommand('copy');
		area.remove();
		return done;
	}
}
