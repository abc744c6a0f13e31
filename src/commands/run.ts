import type { CliOptions } from './options.ts';
import { startGateway } from '../runtime/gateway.ts';
import { chooseConfig } from './config.ts';
import { openLog } from './logging.ts';
import { endAfter, refuseDebugger, reloadOnHangup, untilSignal } from './signals.ts';
import { startFaultLine, startOptions } from './start-options.ts';

/** Runs the gateway until a signal ends it. Resolves with the exit code. */
export async function run(options: CliOptions): Promise<number> {
	const chosen = await chooseConfig(options);
	if (chosen === null) return 1;
	const log = openLog(chosen, process.stdout);
	refuseDebugger(log.logger);
	const signalled = untilSignal();
	const gateway = await startGateway(startOptions(chosen, log));
	if ('fault' in gateway) {
		log.flush();
		process.stderr.write(startFaultLine(gateway));
		return 1;
	}
	reloadOnHangup(() => gateway.reload());
	const signal = await signalled;
	const { drainDeadline } = chosen.config.settings;
	log.logger.info(`${signal}: draining, at most ${drainDeadline} ms`);
	endAfter(drainDeadline, () => log.logger.warn('not everything has ended in time; what is left is killed'));
	await gateway.close();
	log.logger.info('stopped');
	// What nobody reads would keep the process from ending by itself.
	if (!(await log.drain())) process.exit(0);
	return 0;
}
