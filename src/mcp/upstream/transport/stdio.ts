import { Dictionary } from '../../../lib/dictionary.ts';
import { isScanFault, type Member, type Scanned, scanJson } from '../../../lib/json-scan.ts';
import type { Child, ChildEnd } from '../../../processes/child.ts';
import type { Command, Processes } from '../../../processes/processes.ts';
import type { Ticket } from '../../model.ts';
import type { OutboundRequest, Receiver, Transport, TransportFault } from './transport.ts';

export interface StdioOptions {
	readonly processes: Processes;
	/** Names the target for `Processes.count`. */
	readonly label: string;
	readonly command: Command;
	/** A line of the child's stderr. */
	onStderr(line: string): void;
	/** A line of stdout that is no JSON-RPC message, or answers nothing that was asked. */
	onJunk(line: Buffer): void;
}

/** Messages that come before anybody listens wait, up to this many and this many bytes. */
const maximumEarly = 100;
const maximumEarlyBytes = 1024 * 1024;

/** JSON-RPC over the stdin and stdout of a child process, one message a line (MCP transports, "stdio"). */
export class StdioTransport implements Transport {
	private readonly options: StdioOptions;
	private readonly child: Child;
	private readonly open = new Dictionary<Receiver>();
	private listener: Receiver | null = null;
	private readonly early: Scanned[] = [];
	private earlyBytes = 0;
	private ended: TransportFault | null = null;

	constructor(options: StdioOptions) {
		this.options = options;
		this.child = options.processes.start(options.label, options.command, {
			line: (line) => this.receive(line),
			stderr: (line) => options.onStderr(line),
			ended: (end) => this.childEnded(end),
		});
	}

	get pid(): number | null {
		return this.child.pid;
	}

	request(request: OutboundRequest, receiver: Receiver): Ticket {
		if (this.ended !== null) {
			receiver.failed(this.ended);
			return forgotten;
		}
		// Written first: a message that may not be sent waits for no answer.
		this.write(request.message);
		this.open.add(request.id, receiver);
		return { cancel: () => this.open.delete(request.id) };
	}

	post(message: Buffer): void {
		this.write(message);
	}

	listen(receiver: Receiver): Ticket {
		this.listener = receiver;
		this.earlyBytes = 0;
		for (const message of this.early.splice(0)) receiver.message(message, null);
		if (this.ended !== null) receiver.failed(this.ended);
		return {
			cancel: () => {
				if (this.listener === receiver) this.listener = null;
			},
		};
	}

	async close(): Promise<void> {
		await this.child.stop();
	}

	private write(message: Buffer): void {
		// One message a line is what keeps a client from sending a second one past every policy.
		if (message.includes(0x0a)) throw new Error('a message for stdio holds a line break');
		this.child.write(Buffer.concat([message, lineBreak]));
	}

	private receive(line: Buffer): void {
		const scanned = scanJson(line, { params: { _meta: {} }, result: {}, error: {} });
		if (isScanFault(scanned) || scanned.members === null || line[scanned.start] !== 0x7b)
			return this.options.onJunk(line);
		const method = scanned.members.find((member) => member.key === 'method');
		if (method === undefined) return this.settle(scanned, line);
		const receiver = this.progressReceiver(scanned, method);
		if (receiver !== null) receiver.message(scanned, null);
		else if (this.listener !== null) this.listener.message(scanned, null);
		else this.keep(scanned, line);
	}

	private keep(scanned: Scanned, line: Buffer): void {
		if (this.early.length >= maximumEarly || this.earlyBytes + line.length > maximumEarlyBytes)
			return this.options.onJunk(line);
		this.earlyBytes += line.length;
		this.early.push(scanned);
	}

	private settle(scanned: Scanned, line: Buffer): void {
		const id = numberAt(
			scanned.text,
			scanned.members?.find((member) => member.key === 'id'),
		);
		const receiver = id === null ? undefined : this.open.get(id);
		if (id === null || receiver === undefined) return this.options.onJunk(line);
		this.open.delete(id);
		receiver.message(scanned, null);
	}

	/** Progress belongs to the request whose id is its token. */
	private progressReceiver(scanned: Scanned, method: Member): Receiver | null {
		if (scanned.text.toString('latin1', method.start, method.end) !== '"notifications/progress"') return null;
		const params = scanned.members?.find((member) => member.key === 'params');
		const token = numberAt(
			scanned.text,
			params?.members?.find((member) => member.key === 'progressToken'),
		);
		return token === null ? null : (this.open.get(token) ?? null);
	}

	private childEnded(end: ChildEnd): void {
		this.ended = { kind: 'process', ...end };
		const receivers = this.open.all();
		this.open.clear();
		for (const receiver of receivers) receiver.failed(this.ended);
		this.listener?.failed(this.ended);
	}
}

const lineBreak = Buffer.from('\n');
const forgotten: Ticket = { cancel() {} };

function numberAt(text: Buffer, member: Member | undefined): number | null {
	if (member === undefined) return null;
	const value = Number(text.toString('latin1', member.start, member.end));
	return Number.isSafeInteger(value) ? value : null;
}
