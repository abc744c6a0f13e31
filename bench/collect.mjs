// Loaded into a measured process with --expose-gc: SIGUSR2 makes it collect its garbage and print what is left, and the
// longest time that its loop stood still since it was asked last; the latter also when it ends. Time in which the
// machine gave the processor to others is not counted: it would say nothing of the process, and is the longest here.
let stall = 0;
let last = performance.now();
let used = process.cpuUsage();

function look() {
	const now = performance.now();
	const { user, system } = process.cpuUsage(used);
	used = process.cpuUsage();
	stall = Math.max(stall, Math.min(now - last, (user + system) / 1000));
	last = now;
}

setInterval(look, 1).unref();
process.on('SIGUSR2', () => {
	const before = stall;
	for (let i = 0; i < 3; i++) globalThis.gc();
	const { heapUsed, external, rss } = process.memoryUsage();
	process.stderr.write(`COLLECTED ${JSON.stringify({ heapUsed, external, rss, stall: before })}\n`);
	setTimeout(() => {
		stall = 0;
	}, 50);
});
process.on('exit', () => {
	look();
	process.stderr.write(`ENDED ${stall}\n`);
});
