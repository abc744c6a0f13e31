import type { Family, Sample } from './exposition.ts';

/** A target as it is at a scrape. */
export interface TargetState {
	readonly backend: string;
	readonly target: string;
	readonly state: string;
	/** Failures since the start by kind; null for a target that nothing is known of. */
	readonly circuit: { readonly state: string; readonly totals: Readonly<Record<string, number>> } | null;
}

/** The metrics of what is behind the gateway. */
export function targetFamilies(targets: () => Iterable<TargetState>): Family[] {
	const of = (
		name: string,
		help: string,
		type: Family['type'],
		read: (one: TargetState) => Iterable<Part>,
	): Family => ({
		name,
		help,
		type,
		*samples(): Iterable<Sample> {
			for (const one of targets()) {
				const { backend, target } = one;
				for (const { value, ...more } of read(one)) yield { labels: { backend, target, ...more }, value };
			}
		},
	});
	return [
		of('agentgateway_mcp_target_state', '1 for the state that a target is in.', 'gauge', ({ state }) => [
			{ state, value: 1 },
		]),
		of(
			'agentgateway_mcp_target_circuit',
			'1 for the state that the circuit of a target is in.',
			'gauge',
			({ circuit }) => [{ state: circuit?.state ?? 'closed', value: 1 }],
		),
		of(
			'agentgateway_mcp_target_failures_total',
			'Starts of a target that failed, calls without sign of life, and connections that it did not take.',
			'counter',
			({ circuit }) => Object.entries(circuit?.totals ?? {}).map(([kind, value]) => ({ kind, value })),
		),
	];
}

/** A number with the labels beside the target. */
type Part = { readonly value: number } & ({ readonly state: string } | { readonly kind: string });
