// Preloaded into a gateway under test (`--import`): answers on the channel to its parent what the process holds. The
// gateway knows nothing of it, and needs no port for it.
import { readdirSync, readlinkSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 5 });
// Two hundred looks a second are most of what an idle gateway does.
if (process.env.PROBE_STALLS !== 'off') delay.enable();

/** Open descriptors by kind; those that the question itself opens are left out. */
function descriptors() {
	const kinds = { socket: 0, pipe: 0, file: 0, other: 0 };
	for (const name of readdirSync('/proc/self/fd')) {
		let target;
		try {
			target = readlinkSync(`/proc/self/fd/${name}`);
		} catch {
			continue;
		}
		if (target.startsWith('socket:')) kinds.socket++;
		else if (target.startsWith('pipe:')) kinds.pipe++;
		else if (target.startsWith('/')) kinds.file++;
		else kinds.other++;
	}
	return kinds;
}

/** What keeps the process alive, by kind: Timeout, TCPSocketWrap, ProcessWrap … */
function resources() {
	const counts = {};
	for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
	return counts;
}

async function collect() {
	if (globalThis.gc === undefined) return;
	// Finalizers run between collections, and free more.
	for (let round = 0; round < 3; round++) {
		globalThis.gc();
		await new Promise((resolve) => setImmediate(resolve));
	}
}

async function answer({ id, collected }) {
	const stall = delay.max / 1e6;
	if (collected) await collect();
	const { heapUsed, rss, external, arrayBuffers } = process.memoryUsage();
	const { user, system } = process.cpuUsage();
	process.send({
		id,
		heap: heapUsed,
		rss,
		external,
		arrayBuffers,
		processor: user + system,
		// What the histogram counts above its own resolution.
		stall: Math.max(0, stall - 5),
		descriptors: descriptors(),
		resources: resources(),
	});
	// The question itself is no stall of the gateway's: to collect takes long, and so does a look at ten thousand
	// descriptors. It is counted by the next look, so only what comes after that is begun anew.
	setTimeout(() => delay.reset(), 50).unref();
}

process.on('message', (message) => void answer(message));
// A process is not kept alive by who watches it.
process.channel?.unref();
// A test that was broken off leaves no gateway behind.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
