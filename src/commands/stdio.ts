import type { Writable } from 'node:stream';
import { startStdio, type StdioOutput } from '../runtime/stdio.ts';
import { chooseConfig } from './config.ts';
import { openLog } from './logging.ts';
import type { CliOptions } from './options.ts';
import { endAfter, refuseDebugger, reloadOnHangup, untilSignal } from './signals.ts';
import { startFaultLine, startOptions } from './start-options.ts';

/** What the flags of `agentgateway stdio` say. */
export interface StdioCommandOptions {
	route?: string;
	admin?: boolean;
}

/** `agentgateway stdio`: serves the client that started it, until that one closes stdin or a signal comes. */
export async function stdio(options: CliOptions, { route, admin }: StdioCommandOptions): Promise<number> {
	if (options.file === '-') {
		process.stderr.write('error: stdin carries the protocol; give the configuration as a file or with --config\n');
		return 1;
	}
	const output = takeStdout(process.stdout);
	const chosen = await chooseConfig(options);
	if (chosen === null) return 1;
	const log = openLog(chosen, process.stderr);
	refuseDebugger(log.logger);
	const signal = untilSignal();
	const gateway = await startStdio({
		...startOptions(chosen, log),
		route: route ?? null,
		admin: admin === true,
		input: process.stdin,
		output,
	});
	if ('fault' in gateway) {
		log.flush();
		process.stderr.write(startFaultLine(gateway));
		return 1;
	}
	reloadOnHangup(() => gateway.reload());
	const why = await Promise.race([signal, gateway.left.then(() => 'the client has gone')]);
	const { drainDeadline } = chosen.config.settings;
	log.logger.info(`${why}: draining, at most ${drainDeadline} ms`);
	endAfter(drainDeadline, () => log.logger.warn('not everything has ended in time; what is left is killed'));
	const whole = await gateway.close();
	log.logger.info('stopped');
	const logged = await log.drain();
	// What nobody reads would keep the process from ending by itself.
	if (!whole || !logged) process.exit(0);
	return 0;
}

/** Keeps stdout for the protocol: whatever else is printed, by whichever library, goes to stderr. */
function takeStdout(stdout: NodeJS.WriteStream): StdioOutput {
	const write: Writable['write'] = stdout.write.bind(stdout);
	stdout.write = process.stderr.write.bind(process.stderr);
	let broken = false;
	return {
		write: (line) => write(Buffer.concat([line, lineEnd])),
		onDrain: (drain) => void stdout.on('drain', drain),
		onBroken: (then) =>
			void stdout.on('error', () => {
				if (!broken) then();
				broken = true;
			}),
		flush: (deadline) =>
			new Promise((resolve) => {
				if (stdout.writableLength === 0) return resolve(true);
				const timer = setTimeout(() => resolve(false), deadline);
				write(nothing, () => {
					clearTimeout(timer);
					resolve(true);
				});
			}),
	};
}

const lineEnd = Buffer.from('\n');
const nothing = Buffer.alloc(0);
