// Loaded into a measured process with --expose-gc: SIGUSR2 makes it collect its garbage and print what is left, and the
// longest time that its loop stood still since it was asked last; the latter also when it ends.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('SIGUSR2', () => {
	const stall = delay.max / 1e6;
	for (let i = 0; i < 3; i++) globalThis.gc();
	const { heapUsed, external, rss } = process.memoryUsage();
	process.stderr.write(`COLLECTED ${JSON.stringify({ heapUsed, external, rss, stall })}\n`);
	setTimeout(() => delay.reset(), 50);
});
process.on('exit', () => process.stderr.write(`ENDED ${delay.max / 1e6}\n`));
