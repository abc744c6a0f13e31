import type { Child, ChildEnd } from '../../../processes/child.ts';
import type { Command, Processes, Purpose } from '../../../processes/processes.ts';
import { keepStray, type Printed } from '../../../processes/process-output.ts';
import type { WaitingStart } from '../../../processes/waiting-start.ts';
import type { Ticket } from '../../model.ts';
import { Inbox } from './inbox.ts';
import type { OutboundPost, OutboundRequest, Receiver, Transport, TransportFault } from './transport.ts';

export interface StdioOptions {
	readonly processes: Processes;
	/** Names the target for `Processes.count`. */
	readonly label: string;
	readonly command: Command;
	/** Whoever it is started for; null for the gateway itself. */
	readonly owner: string | null;
	/** What the process is there for; a spare does not wait for room. */
	readonly purpose: Purpose;
	/** Milliseconds for which the start may wait for room. */
	readonly patience: number;
	/** A line of the child's stderr. */
	onStderr(line: string): void;
	/** A line of stdout that is no JSON-RPC message, or answers nothing that was asked. */
	onJunk(line: Buffer): void;
	/** A bug showed while a line was handled. */
	onFault(fault: unknown): void;
}

const noExit = { exitCode: null, signal: null, stderr: [] };

/** JSON-RPC over the stdin and stdout of a child process, one message a line (MCP transports, "stdio"). */
export class StdioTransport implements Transport {
	/** null while its start waits for room. */
	private child: Child | null = null;
	private room: WaitingStart | null = null;
	private onStarted: (() => void) | null = null;
	private readonly inbox: Inbox;
	private readonly onFault: StdioOptions['onFault'];
	private readonly processes: Processes;
	private ended: TransportFault | null = null;
	/** The first lines of stdout that were no messages. */
	private readonly stray: string[] = [];

	constructor(options: StdioOptions) {
		this.processes = options.processes;
		this.onFault = (fault) => options.onFault(fault);
		this.inbox = new Inbox((line) => {
			keepStray(this.stray, line);
			options.onJunk(line);
		});
		const events = {
			line: (line: Buffer) => this.take(line),
			stderr: (line: string) => options.onStderr(line),
			ended: (end: ChildEnd) => {
				const fault: TransportFault = { kind: 'process', ...end };
				if (this.ended === null) {
					this.ended = fault;
					this.inbox.end(fault);
				}
				this.onEnded?.();
			},
		};
		const { processes, label, command, owner, purpose, patience } = options;
		const begin = () => {
			this.child = processes.start(label, command, events, owner, purpose);
			this.onStarted?.();
		};
		if (purpose === 'spare') begin();
		else this.room = processes.whenRoom({ label, owner, maximum: command.maximum }, patience, begin);
	}

	/** Hears of the end of the process; who keeps it in reserve sets it. */
	onEnded: (() => void) | null = null;

	/** Hands a process that was started in reserve to its owner. False: that one has too many. */
	claim(owner: string | null, purpose: Purpose): boolean {
		return this.child !== null && this.processes.claim(this.child, owner, purpose) === null;
	}

	whenStarted(then: () => void): void {
		if (this.child === null) this.onStarted = then;
		else then();
	}

	established(): void {
		if (this.child !== null) this.processes.ready(this.child);
	}

	/** What a server wrote must not end the gateway, whatever bug it finds: its own connection ends instead. */
	private take(line: Buffer): void {
		if (this.ended !== null) return;
		try {
			this.inbox.take(line);
		} catch (fault) {
			this.onFault(fault);
			this.ended = { kind: 'process', reason: 'the gateway could not handle what it wrote', remedy: '', ...noExit };
			this.inbox.end(this.ended);
			void this.child?.stop();
		}
	}

	readonly hearsSince = 0;

	get pid(): number | null {
		return this.child?.pid ?? null;
	}

	get printed(): Printed {
		return { stderr: this.child?.lastStderr ?? [], stray: this.stray };
	}

	request(request: OutboundRequest, receiver: Receiver): Ticket {
		if (this.ended !== null) {
			receiver.failed({ ...this.ended, neverRan: true });
			return forgotten;
		}
		// Written first: a message that may not be sent waits for no answer.
		this.write(request.message);
		this.inbox.add(request.id, receiver);
		return { cancel: () => this.inbox.delete(request.id) };
	}

	post({ message, settled, held = null }: OutboundPost): void {
		this.write(message, held === null ? null : () => held.release());
		settled?.();
	}

	listen(receiver: Receiver): Ticket {
		return this.inbox.listen(receiver);
	}

	async close(): Promise<void> {
		this.room?.cancel();
		await this.child?.stop();
	}

	private write(message: Buffer, left: (() => void) | null = null): void {
		// One message a line is what keeps a client from sending a second one past every policy.
		if (message.includes(0x0a)) throw new Error('a message for stdio holds a line break');
		if (this.child === null) left?.();
		else this.child.write(Buffer.concat([message, lineBreak]), left);
	}
}

const lineBreak = Buffer.from('\n');
const forgotten: Ticket = { cancel() {} };
