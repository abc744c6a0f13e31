import { readFileSync } from 'node:fs';

/** The most bytes that the kernel takes from a writer over TCP while nobody reads: its buffers for both sockets. */
export function kernelBuffers(): number {
	return largest('tcp_rmem') + largest('tcp_wmem');
}

/** The last of three numbers: smallest, default, largest. */
function largest(name: string): number {
	try {
		return Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'latin1').trim().split(/\s+/)[2]);
	} catch {
		// Not Linux: more than macOS takes (kern.ipc.maxsockbuf).
		return 16 * 1024 ** 2;
	}
}
