import { markHidden } from './hidden-characters.ts';

/** Text that a server sent: characters that hide or turn text around are shown as marked boxes. */
export function ServerText({ text }: { text: string }) {
	const parts = markHidden(text);
	if (parts.length === 1 && parts[0]?.hidden === false) return text;
	return parts.map((part, index) =>
		part.hidden ? (
			// Parts have no identity but their place.
			<span key={index} className="rounded border border-warn bg-warn-soft px-0.5 font-mono text-12 text-warn">
				{part.text}
			</span>
		) : (
			part.text
		),
	);
}
