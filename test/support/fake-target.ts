import type {
	Call,
	Caller,
	Failure,
	McpError,
	Resumption,
	Sink,
	Target,
	Upstream,
	UpstreamEvents,
} from '../../src/mcp/model.ts';
import { splice } from '../../src/lib/splice.ts';
import { Circuit } from '../../src/mcp/health/circuit.ts';

/** What a fake server answers: a result object, or an error. */
export type Answer = Record<string, unknown> | { error: McpError } | 'never';

/** An MCP server in memory. */
export class FakeTarget implements Target {
	readonly name: string;
	local = false;
	readonly circuit = new Circuit();
	readonly calls: { method: string; params: Record<string, unknown>; name: string | null }[] = [];
	/** Methods of the notifications that clients sent. */
	readonly notices: string[] = [];
	cancelled = 0;
	opened = 0;
	closed = 0;
	/** What the end of a connection waits for. */
	closing: Promise<void> = Promise.resolve();
	events: UpstreamEvents | null = null;
	/** Whether `open` reports ready by itself. */
	start: 'ready' | 'failed' | 'hangs' = 'ready';
	private readonly capabilities: Record<string, unknown>;
	private readonly answer: (method: string, params: Record<string, unknown>, sink: Sink) => Answer;

	constructor(name: string, capabilities: Record<string, unknown>, answer: FakeTarget['answer']) {
		this.name = name;
		this.capabilities = capabilities;
		this.answer = answer;
	}

	/** Sessions that it was asked to go on with; null where a new one was wanted. */
	readonly resumed: (Resumption | null)[] = [];
	/** Those that were closed without ending the server's session. */
	kept = 0;
	/** Id of the sessions that it gives; null for none. */
	session: string | null = null;

	open(_caller: Caller, events: UpstreamEvents, resume: Resumption | null): Upstream {
		this.opened++;
		this.resumed.push(resume);
		this.events = events;
		const state = this.start;
		setImmediate(() => {
			if (state === 'ready') this.becomeReady();
			if (state === 'failed') events.failed(absent);
		});
		return {
			pid: null,
			served: this.calls.length > 0,
			busy: false,
			resumption: resume ?? (this.session === null ? null : { sessionId: this.session, protocolVersion: '2025-11-25' }),
			setLevel() {},
			watch: (_topic, done) => done(null),
			unwatch() {},
			notify: (notice) => this.notices.push(notice.method),
			close: async (keepSession) => {
				this.closed++;
				if (keepSession === true) this.kept++;
				await this.closing;
			},
			start: (call, sink) => this.take(call, sink),
		};
	}

	becomeReady(): void {
		const serverInfo = { name: this.name, version: '1' };
		this.events?.ready({
			serverInfo,
			serverInfoText: Buffer.from(JSON.stringify(serverInfo)),
			protocolVersion: '2025-11-25',
			capabilities: this.capabilities,
			capabilitiesText: Buffer.from(JSON.stringify(this.capabilities)),
			instructions: null,
			handshake: true,
		});
	}

	private take(call: Call, sink: Sink) {
		const text = splice(call.params.text, call.edits, call.params.start, call.params.end).toString();
		const params = JSON.parse(text) as Record<string, unknown>;
		this.calls.push({ method: call.method, params, name: call.name });
		const answer = this.answer(call.method, params, sink);
		if (answer !== 'never') {
			setImmediate(() => {
				if ('error' in answer) sink.fail(answer.error as McpError);
				else sink.done({ text: Buffer.from(JSON.stringify(answer)), type: 'complete', stamped: false });
			});
		}
		return {
			cancel: () => {
				this.cancelled++;
			},
		};
	}
}

export const absent: Failure = {
	reason: 'command `uvx` was not found',
	remedy: 'Install uv.',
	exitCode: null,
	signal: null,
	stderr: [],
};
