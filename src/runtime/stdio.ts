import type { Readable } from 'node:stream';
import type { Facts } from '../facts/facts.ts';
import { LineSplitter } from '../lib/line-splitter.ts';
import type { McpEndpoint } from '../mcp/endpoint.ts';
import { code } from '../mcp/errors.ts';
import type { StdioHost, StdioServer } from '../mcp/wire/stdio-server.ts';
import type { Logger } from '../telemetry/log.ts';
import type { CompiledRoute } from './compile.ts';
import { Core, type GatewayOptions } from './core.ts';
import type { Problem } from '../config/ir.ts';
import { Ports, type StartFault } from './ports.ts';
import type { LoadResult } from '../config/load.ts';
import type { Reload } from './reload.ts';
import { chooseRoute } from './stdio-route.ts';
import { watchConfig } from './watch-config.ts';

export interface StdioOptions extends GatewayOptions {
	/** Name of the route to serve; null: the only one. */
	readonly route: string | null;
	/** Open the admin port, too, and look at every target at the start. */
	readonly admin: boolean;
	readonly input: Readable;
	readonly output: StdioOutput;
}

/** Where the lines for the client go. */
export interface StdioOutput {
	/** Writes a line, without its line break. False: it lies in a queue, and `onDrain` tells when that is empty. */
	write(line: Buffer): boolean;
	onDrain(drain: () => void): void;
	/** `broken` is called once if nobody reads any more. */
	onBroken(broken: () => void): void;
	/** Resolves when all is out, or after `deadline` milliseconds with false. */
	flush(deadline: number): Promise<boolean>;
}

/** A gateway that serves the one client of its stdin and stdout. */
export interface StdioGateway {
	/** Resolves when the client has gone: its end of stdin or stdout is closed. */
	readonly left: Promise<void>;
	/** Reads the configuration file again, if there is one. Resolves when what it says is in effect, or refused. */
	reload(): Promise<void>;
	/**
	 * Lets what is under way finish within the drain deadline, ends every child. Resolves with false when the client
	 * has not read everything.
	 */
	close(): Promise<boolean>;
}

/** Starts the gateway as a stdio server. No child runs before the client's first message. */
export async function startStdio(options: StdioOptions): Promise<StdioGateway | StartFault> {
	let served: Serving | null = null;
	const ports = new Ports(options);
	const core = new Core(options, {
		addressesOf: (bind) => ports.addressesOf(bind),
		sessions: () => served?.openSessions ?? 0,
	});
	const chosen = chooseRoute(core.runtime.routes, options.route);
	const abandon = async (fault: StartFault) => {
		await core.close(ports.close());
		return fault;
	};
	if ('fault' in chosen) return abandon(chosen);
	const fault = options.admin ? await ports.openAdmin(core) : null;
	if (fault !== null) return abandon(fault);
	ports.announce(core.adminToken);
	if (options.admin) core.watch();
	served = new Serving(options, core, ports, chosen.route, chosen.endpoint);
	return served;
}

/** A longer line ends the input: what is no message of a client is not worth the memory. */
const maximumLineBytes = 16 * 1024 * 1024;
/** How long the last lines may take to leave. */
const flushMs = 500;

const movedAway = {
	message: 'the route that the client has is reached in another way now',
	remedy: 'start the client again',
};

class Serving implements StdioGateway, StdioHost {
	readonly left: Promise<void>;
	private readonly options: StdioOptions;
	private readonly core: Core;
	private readonly ports: Ports;
	private route: CompiledRoute;
	private readonly endpoint: McpEndpoint;
	private readonly reloading: Reload | null;
	private readonly server: StdioServer;
	private readonly log: Logger;
	private readonly lines: LineSplitter;
	private leave: () => void = () => {};
	private deaf = false;
	private broken = false;

	constructor(options: StdioOptions, core: Core, ports: Ports, route: CompiledRoute, endpoint: McpEndpoint) {
		this.options = options;
		this.core = core;
		this.ports = ports;
		this.route = route;
		this.endpoint = endpoint;
		this.reloading = watchConfig(options, core, (read) => this.follow(read));
		void this.reloading?.start();
		this.log = options.logger.scoped('agentgateway::stdio');
		this.server = endpoint.serveStdio(this);
		this.lines = new LineSplitter(maximumLineBytes, (line) => this.take(line));
		this.left = new Promise((resolve) => {
			this.leave = resolve;
		});
		const { input, output } = options;
		output.onDrain(() => this.drained());
		output.onBroken(() => {
			this.broken = true;
			this.inputEnded();
		});
		input.on('data', (chunk: Buffer) => this.read(chunk));
		input.on('end', () => {
			this.lines.end();
			this.inputEnded();
		});
		input.on('error', () => this.inputEnded());
		this.log.info(`serving route "${route.route.name}" on stdin and stdout`);
	}

	get openSessions(): number {
		return this.server.openSessions;
	}

	write(message: Buffer): boolean {
		return this.broken || this.options.output.write(message);
	}

	overflow(): void {
		this.log.warn('the client does not read; its calls are taken back, and nothing is read until it does');
		// Not at once: whoever writes now is in the middle of something.
		setImmediate(() => this.server.cancelAll('the client does not read'));
		this.options.input.pause();
	}

	ended(facts: Facts): void {
		this.core.ended(facts);
	}

	facts(): Facts {
		const { listener, route } = this.route;
		return {
			bind: 'stdio',
			gateway: listener.gateway,
			listener: listener.name,
			route: route.key,
			...(route.ruleName === null ? {} : { routeRule: route.ruleName }),
			sourceAddress: 'stdio',
			method: 'stdio',
			host: '',
			path: '',
			httpVersion: '',
			protocol: 'mcp',
			startedAt: performance.now(),
		};
	}

	async reload(): Promise<void> {
		await this.reloading?.reload('asked to');
	}

	async close(): Promise<boolean> {
		const { input, config, output } = this.options;
		await this.reloading?.stop();
		this.core.admin.close();
		const ports = this.ports.close();
		await this.finished(this.broken ? 0 : config.settings.drainDeadline);
		await this.server.close();
		input.pause();
		input.destroy();
		await this.core.close(ports);
		return this.broken || output.flush(flushMs);
	}

	/** The client has one route for as long as it is there: a file without it changes nothing. */
	private async follow(read: LoadResult & { ok: true }): Promise<Problem[]> {
		const { core, options } = this;
		const compiled = core.compile(read.config);
		const chosen = chooseRoute(compiled.runtime.routes, options.route);
		const fault = 'fault' in chosen ? chosen : chosen.endpoint === this.endpoint ? null : movedAway;
		if (fault === null && 'route' in chosen) {
			core.replace(compiled, read);
			this.route = chosen.route;
			return [];
		}
		await core.abandon(compiled);
		const { message, remedy } = fault ?? movedAway;
		return [{ file: options.source, line: 0, column: 0, path: '', message, remedy }];
	}

	private drained(): void {
		this.server.drained();
		if (!this.deaf) this.options.input.resume();
	}

	private read(chunk: Buffer): void {
		if (this.deaf) return;
		const fault = this.lines.push(chunk);
		if (fault === null) return;
		this.server.refuse(null, { code: code.invalidRequest, message: `a line has more than ${fault.limit} bytes` });
		this.inputEnded();
	}

	private take(line: Buffer): void {
		try {
			this.server.take(line);
		} catch (fault) {
			this.core.reportFault(fault, { facts: this.facts() });
		}
	}

	private inputEnded(): void {
		this.deaf = true;
		this.leave();
	}

	/** Resolves when no call is under way, at the latest after `deadline` milliseconds. */
	private finished(deadline: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, deadline);
			this.server.finish(this.deaf, () => {
				clearTimeout(timer);
				resolve();
			});
		});
	}
}
