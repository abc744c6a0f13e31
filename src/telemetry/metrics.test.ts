import { describe, expect, test } from 'vitest';
import type { Facts } from '../facts/facts.ts';
import { Metrics, type MetricSources } from './metrics.ts';

const sources: MetricSources = {
	sessions: () => 3,
	targets: () => [
		{ backend: 'b', target: 'time', state: 'ready', circuit: null },
		{
			backend: 'b',
			target: 'we"ird\n\\',
			state: 'failed',
			circuit: { state: 'open', totals: { start: 7, timeout: 0 } },
		},
	],
	childProcesses: () => 2,
	processes: () => [],
	configSynchronized: () => true,
	pressure: () => ({
		kinds: new Map([
			['heap', true],
			['memory', false],
		]),
		refusedRequests: 5,
		refusedConnections: 6,
		heldBytes: 7,
		lateSeconds: 0.25,
		heapUsed: 8,
		heapLimit: 9,
		descriptors: 10,
		descriptorLimit: null,
		droppedLogLines: 11,
	}),
};

const base: Facts = {
	bind: 'bind/3000',
	gateway: 'default/default',
	listener: 'listener0',
	route: 'default/route0',
	sourceAddress: '127.0.0.1:1',
	method: 'POST',
	host: 'localhost',
	path: '/mcp',
	httpVersion: 'HTTP/1.1',
	status: 200,
	protocol: 'mcp',
	backend: 'b',
	mcpMethod: 'tools/call',
	mcpTarget: 'time',
	mcpResourceType: 'tool',
	mcpResource: 'get_time',
	mcpCatalogue: { lists: (target, name) => target === 'time' && name === 'get_time' },
	startedAt: 0,
	responseBytes: 100,
};

const make = () => new Metrics('1.2.3', sources);
const linesOf = (metrics: Metrics, name: string) =>
	metrics
		.text()
		.split('\n')
		.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
const route =
	'bind="bind/3000",gateway="default/default",listener="listener0",route="default/route0",route_rule="unknown"';
const request = `backend="b",protocol="mcp",method="POST",status="200",reason="Upstream",${route}`;

describe('requests', () => {
	test('are counted with their bytes under the names of the contract', () => {
		const metrics = make();
		metrics.ended({ ...base }, 3);
		metrics.ended({ ...base }, 3);
		expect(linesOf(metrics, 'agentgateway_requests_total')).toEqual([`agentgateway_requests_total{${request}} 2`]);
		expect(linesOf(metrics, 'agentgateway_response_bytes_total')).toEqual([
			`agentgateway_response_bytes_total{${request}} 200`,
		]);
		expect(metrics.requests).toBe(2);
	});

	test('fall into buckets from 1 ms to 80 s, each with all below it', () => {
		const metrics = make();
		for (const milliseconds of [0.5, 1, 1.1, 30_000, 80_000, 90_000]) metrics.ended({ ...base }, milliseconds);
		const bucket = (le: string) =>
			linesOf(metrics, 'agentgateway_request_duration_seconds_bucket')
				.find((line) => line.includes(`le="${le}"`))
				?.split(' ')[1];
		expect(['0.001', '0.0025', '20', '40', '80', '+Inf'].map(bucket)).toEqual(['2', '3', '3', '4', '5', '6']);
		expect(linesOf(metrics, 'agentgateway_request_duration_seconds_count')).toEqual([
			`agentgateway_request_duration_seconds_count{${request}} 6`,
		]);
		expect(Number(linesOf(metrics, 'agentgateway_request_duration_seconds_sum')[0]?.split(' ')[1])).toBeCloseTo(
			200.0026,
			4,
		);
	});

	test('with different labels are kept apart', () => {
		const metrics = make();
		metrics.ended({ ...base }, 1);
		metrics.ended({ ...base, status: 404, reason: 'NotFound' }, 1);
		metrics.ended({ ...base, route: undefined }, 1);
		expect(linesOf(metrics, 'agentgateway_requests_total')).toHaveLength(3);
		expect(metrics.text()).toContain('route="unknown"');
	});
});

describe('MCP requests', () => {
	test('are counted by method, kind, server and item', () => {
		const metrics = make();
		metrics.ended({ ...base }, 1);
		expect(linesOf(metrics, 'agentgateway_mcp_requests_total')).toEqual([
			`agentgateway_mcp_requests_total{method="tools/call",resource_type="tool",server="time",resource="get_time",${route}} 1`,
		]);
	});

	test('take no labels from what clients make up', () => {
		const metrics = make();
		for (let at = 0; at < 5_000; at++) {
			metrics.ended(
				{
					...base,
					mcpMethod: `junk${at}`,
					mcpResource: undefined,
					mcpResourceType: undefined,
					mcpTarget: undefined,
					mcpErrorCode: -32601,
				},
				1,
			);
			metrics.ended({ ...base, mcpResource: `junk${at}`, mcpErrorCode: -32602 }, 1);
		}
		expect(linesOf(metrics, 'agentgateway_mcp_requests_total')).toHaveLength(2);
		expect(metrics.text()).not.toContain('junk');
	});

	test('of names that nobody lists share a label, even where the server answers', () => {
		const metrics = make();
		for (const mcpResource of ['made_up', 'get_time', 'invented', 'get_time'])
			metrics.ended({ ...base, mcpResource }, 1);
		for (const mcpMethod of ['vendor/one', 'vendor/two'])
			metrics.ended({ ...base, mcpMethod, mcpResource: undefined, mcpResourceType: undefined }, 1);
		expect(linesOf(metrics, 'agentgateway_mcp_requests_total')).toEqual([
			`agentgateway_mcp_requests_total{method="tools/call",resource_type="tool",server="time",resource="unknown",${route}} 2`,
			`agentgateway_mcp_requests_total{method="tools/call",resource_type="tool",server="time",resource="get_time",${route}} 2`,
			`agentgateway_mcp_requests_total{method="unknown",resource_type="unknown",server="time",resource="unknown",${route}} 2`,
		]);
	});

	test('get the label of a name as soon as it is listed', () => {
		const metrics = make();
		let listed = false;
		const mcpCatalogue = { lists: () => listed };
		metrics.ended({ ...base, mcpCatalogue }, 1);
		listed = true;
		metrics.ended({ ...base, mcpCatalogue }, 1);
		expect(linesOf(metrics, 'agentgateway_mcp_requests_total').at(-1)).toMatch(/resource="get_time".* 1$/);
	});

	test('have labels of at most 128 bytes', () => {
		const metrics = make();
		const mcpCatalogue = { lists: () => true };
		metrics.ended({ ...base, mcpCatalogue, mcpResource: 'é'.repeat(1_000_000) }, 1);
		expect(linesOf(metrics, 'agentgateway_mcp_requests_total')[0]).toMatch(/,resource="é{62}…",/);
	});

	test('do not grow without end with what servers make up', () => {
		const metrics = make();
		const mcpCatalogue = { lists: () => true };
		for (let at = 0; at < 5_000; at++) metrics.ended({ ...base, mcpCatalogue, mcpResource: `tool${at}` }, 1);
		const lines = linesOf(metrics, 'agentgateway_mcp_requests_total');
		expect(lines).toHaveLength(2_001);
		expect(lines.at(-1)).toMatch(/resource="overflow".* 3000$/);
	});
});

describe('the state', () => {
	test('is asked for at each scrape, with label values escaped', () => {
		const text = make().text();
		expect(text).toContain('agentgateway_build_info{tag="1.2.3"} 1\n');
		expect(text).toContain('agentgateway_mcp_sessions 3\n');
		expect(text).toContain('agentgateway_child_processes 2\n');
		expect(text).toContain('agentgateway_config_synchronized 1\n');
		expect(text).toContain('agentgateway_mcp_target_state{backend="b",target="time",state="ready"} 1\n');
		expect(text).toContain('agentgateway_mcp_target_circuit{backend="b",target="time",state="closed"} 1\n');
		expect(text).toMatch(/_mcp_target_circuit\{backend="b",target="we.*",state="open"\} 1\n/);
		expect(text).toMatch(/_mcp_target_failures_total\{backend="b",target="we.*",kind="start"\} 7\n/);
		expect(text).toContain('target="we\\"ird\\n\\\\"');
	});

	test('includes connections by bind', () => {
		const metrics = make();
		metrics.connected('bind/3000', 'http');
		metrics.connected('bind/3000', 'http');
		metrics.disconnected('bind/3000', 'http', 10, 200);
		metrics.disconnected('bind/3000', 'http', 1, 2);
		expect(linesOf(metrics, 'agentgateway_downstream_received_bytes_total')[0]).toMatch(/ 11$/);
		expect(linesOf(metrics, 'agentgateway_downstream_sent_bytes_total')[0]).toMatch(/ 202$/);
		expect(linesOf(metrics, 'agentgateway_downstream_connections_total')).toEqual([
			'agentgateway_downstream_connections_total{bind="bind/3000",gateway="default/default",listener="unknown",protocol="http"} 2',
		]);
	});

	test('every line is a comment or a sample, every family has its type before its samples', () => {
		const metrics = make();
		metrics.ended({ ...base }, 1);
		metrics.connected('bind/3000', 'http');
		let family = '';
		for (const line of metrics.text().trimEnd().split('\n')) {
			const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
			if (type !== null) family = type[1] ?? '';
			else if (!line.startsWith('# HELP '))
				expect(line).toMatch(
					new RegExp(`^${family}(_bucket|_sum|_count)?(\\{(\\w+="([^"\\\\\\n]|\\\\.)*",?)+\\})? [0-9.e+-]+$`),
				);
		}
	});
});

test('what runs out is shown as far as it is known', () => {
	const text = new Metrics('1', sources).text();
	for (const line of [
		'agentgateway_pressure{kind="heap"} 1',
		'agentgateway_pressure{kind="memory"} 0',
		'agentgateway_requests_shed_total 5',
		'agentgateway_connections_refused_total 6',
		'process_open_fds 10',
		'agentgateway_log_lines_dropped_total 11',
	])
		expect(text.split('\n')).toContain(line);
	expect(text).not.toMatch(/^process_max_fds /m);
});
