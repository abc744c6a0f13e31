/** A time of today as its hour, an older one with its date; the whole of it as a hint. `at`: RFC 3339. */
export function Time({ at }: { at: string }) {
	const date = new Date(at);
	const today = date.toDateString() === new Date().toDateString();
	return (
		<time dateTime={at} title={at} className="whitespace-nowrap">
			{today ? date.toLocaleTimeString() : date.toLocaleString()}
		</time>
	);
}
