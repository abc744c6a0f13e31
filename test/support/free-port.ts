import { type AddressInfo, createServer } from 'node:net';

/** A port that is free on all addresses of IPv4 now; somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((done) => server.listen({ port: 0, host: '0.0.0.0', exclusive: true }, () => done()));
	const { port } = server.address() as AddressInfo;
	await new Promise((done) => server.close(done));
	return port;
}
