import type { Family } from './exposition.ts';

/** What the metrics ask about that which can run out. Absent numbers are not shown. */
export interface PressureFigures {
	/** By kind, whether requests are refused because of it. */
	readonly kinds: ReadonlyMap<string, boolean>;
	readonly refusedRequests: number;
	readonly refusedConnections: number;
	readonly heldBytes: number;
	readonly lateSeconds: number;
	readonly heapUsed: number;
	readonly heapLimit: number;
	readonly descriptors: number | null;
	readonly descriptorLimit: number | null;
	readonly droppedLogLines: number;
}

/** The metrics of that which can run out. */
export function pressureFamilies(figures: () => PressureFigures): Family[] {
	const one = (
		type: Family['type'],
		name: string,
		help: string,
		value: (of: PressureFigures) => number | null,
	): Family => ({
		name,
		help,
		type,
		samples: () => {
			const now = value(figures());
			return now === null ? [] : [{ labels: {}, value: now }];
		},
	});
	return [
		{
			name: 'agentgateway_pressure',
			help: '1 while requests are refused because this kind of thing runs out.',
			type: 'gauge',
			samples: () => [...figures().kinds].map(([kind, high]) => ({ labels: { kind }, value: Number(high) })),
		},
		one(
			'counter',
			'agentgateway_requests_shed_total',
			'Requests refused with 503 because something runs out.',
			(of) => of.refusedRequests,
		),
		one(
			'counter',
			'agentgateway_connections_refused_total',
			'Client connections refused because too many are open.',
			(of) => of.refusedConnections,
		),
		one('gauge', 'agentgateway_request_bytes_held', 'Bytes of request bodies in memory.', (of) => of.heldBytes),
		one(
			'gauge',
			'agentgateway_event_loop_late_seconds',
			'By how much the event loop is behind, over a second.',
			(of) => of.lateSeconds,
		),
		one('gauge', 'agentgateway_heap_used_bytes', 'Memory of objects.', (of) => of.heapUsed),
		one('gauge', 'agentgateway_heap_limit_bytes', 'Memory that objects may take at most.', (of) => of.heapLimit),
		one('gauge', 'process_open_fds', 'File descriptors that are open.', (of) => of.descriptors),
		one('gauge', 'process_max_fds', 'File descriptors that may be open.', (of) => of.descriptorLimit),
		one(
			'counter',
			'agentgateway_log_lines_dropped_total',
			'Log lines thrown away because nobody read them or the disk was full.',
			(of) => of.droppedLogLines,
		),
	];
}
