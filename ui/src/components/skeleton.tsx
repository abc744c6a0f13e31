/** Grey bars in place of what is on its way; they appear only when it takes longer than a moment. */
export function Skeleton({ rows = 3 }: { rows?: number }) {
	return (
		<div role="status" aria-label="Loading" className="flex animate-[appear_0s_200ms_both] flex-col gap-2">
			{Array.from({ length: rows }, (_, row) => (
				// Rows are all alike.
				<div key={row} className="h-9 rounded-6 bg-sunken" />
			))}
		</div>
	);
}
