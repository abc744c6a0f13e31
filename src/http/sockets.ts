import { unlink } from 'node:fs/promises';
import { type AddressInfo, connect, type Server } from 'node:net';
import type { Address } from '../config/ir.ts';

/** Why an address cannot be served, for a person to read. */
export interface ListenFault {
	readonly fault: 'listen';
	/** Of the operating system: `EADDRINUSE`, `EACCES` … */
	readonly code: string;
	/** What is wrong, in one sentence. */
	readonly message: string;
	/** What to do about it. */
	readonly remedy: string;
}

/** Sockets that are bound. */
export interface Opened {
	addresses: string[];
	port: number;
}

/**
 * Binds servers to an address: `::` means both families (0.0.0.0 alone where the machine has no IPv6), `localhost`
 * both loopback addresses on one port. `server` makes a server for each socket.
 */
export async function openSockets(
	address: Address,
	ipv6: boolean,
	server: () => Server,
): Promise<Opened | ListenFault> {
	if (address.kind === 'unix') return openUnix(address.path, server());
	const { host, port } = address;
	if (host === '::' || host === '[::]' || host === '') return openBoth(port, ipv6, server);
	if (host === 'localhost') return openLocalhost(port, ipv6, server);
	const plain = host.startsWith('[') ? host.slice(1, -1) : host;
	const bound = await bind(server(), { host: plain, port, ipv6Only: false });
	if (typeof bound === 'string') return faultOf(bound, plain, port);
	return { addresses: [`${plain.includes(':') ? `[${plain}]` : plain}:${bound}`], port: bound };
}

async function openBoth(port: number, ipv6: boolean, server: () => Server): Promise<Opened | ListenFault> {
	const one = server();
	if (ipv6) {
		const bound = await bind(one, { host: '::', port, ipv6Only: false });
		if (typeof bound === 'number') return { addresses: [`0.0.0.0:${bound}`, `[::]:${bound}`], port: bound };
		if (!withoutIpv6.has(bound)) return faultOf(bound, '0.0.0.0', port);
	}
	const bound = await bind(one, { host: '0.0.0.0', port });
	if (typeof bound === 'string') return faultOf(bound, '0.0.0.0', port);
	return { addresses: [`0.0.0.0:${bound}`], port: bound };
}

async function openLocalhost(port: number, ipv6: boolean, server: () => Server): Promise<Opened | ListenFault> {
	const first = server();
	const bound = await bind(first, { host: '127.0.0.1', port });
	if (typeof bound === 'string') return faultOf(bound, '127.0.0.1', port);
	const addresses = [`127.0.0.1:${bound}`];
	if (!ipv6) return { addresses, port: bound };
	const second = await bind(server(), { host: '::1', port: bound, ipv6Only: true });
	if (typeof second === 'number') addresses.push(`[::1]:${bound}`);
	else if (!withoutIpv6.has(second)) {
		await new Promise((done) => first.close(done));
		return faultOf(second, '::1', bound);
	}
	return { addresses, port: bound };
}

async function openUnix(path: string, server: Server): Promise<Opened | ListenFault> {
	let bound = await bind(server, { path });
	if (bound === 'EADDRINUSE' && (await isAbandoned(path))) {
		await unlink(path).catch(() => undefined);
		bound = await bind(server, { path });
	}
	if (typeof bound === 'string') return faultOf(bound, path, 0);
	return { addresses: [`unix:${path}`], port: 0 };
}

/**
 * So many connections wait to be taken, as far as the system allows (Linux: `net.core.somaxconn`). Node's 511 are full when
 * as many clients come at once while the loop is busy; the others try again a second later, or are reset.
 */
const backlog = 4096;

/** The port that was bound, or the error code. */
function bind(
	server: Server,
	where: { host?: string; port?: number; path?: string; ipv6Only?: boolean },
): Promise<number | string> {
	return new Promise((done) => {
		const failed = (error: NodeJS.ErrnoException) => {
			server.off('listening', listening);
			done(error.code ?? 'EUNKNOWN');
		};
		const listening = () => {
			server.off('error', failed);
			done(where.path === undefined ? (server.address() as AddressInfo).port : 0);
		};
		server.once('error', failed);
		server.once('listening', listening);
		server.listen({ ...where, exclusive: true, backlog });
	});
}

/** A socket file whose owner died without removing it. */
function isAbandoned(path: string): Promise<boolean> {
	return new Promise((done) => {
		const probe = connect({ path });
		probe.once('connect', () => {
			probe.destroy();
			done(false);
		});
		probe.once('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED'));
	});
}

const withoutIpv6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT']);

function faultOf(code: string, host: string, port: number): ListenFault {
	const { message, remedy } = explain(code, host, port);
	return { fault: 'listen', code, message, remedy };
}

function explain(code: string, host: string, port: number): { message: string; remedy: string } {
	const what = port === 0 ? host : `port ${port}`;
	if (code === 'EADDRINUSE')
		return { message: `${what} is in use by another program`, remedy: 'stop that program or choose another port' };
	if (code === 'EACCES')
		return {
			message: `${what} may not be opened by this user`,
			remedy: 'choose a port above 1023, or start with more rights',
		};
	if (code === 'EADDRNOTAVAIL')
		return {
			message: `${host} is not an address of this machine`,
			remedy: 'use 0.0.0.0, localhost or one of its addresses',
		};
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
		return { message: `the name ${host} has no address`, remedy: 'write an IP address or localhost' };
	return { message: `${host}${port === 0 ? '' : `:${port}`} cannot be opened (${code})`, remedy: '' };
}
