import { FaultProxy } from '../../faults/harness/fault-proxy.ts';
import { faultPerCall } from '../../faults/harness/http-faults.ts';
import type { WatchedGateway } from '../../faults/harness/watched-gateway.ts';
import { fixtureServer, fixtureTarget } from '../../processes/children.ts';
import { mcpConfig } from '../../support/gateway.ts';
import { HttpMcpServer } from '../../support/http-mcp-server.ts';
import type { Scope } from '../soak.ts';
import { echoServer, echoTarget, httpTarget, startGateway } from '../started.ts';

/** A gateway before healthy targets of every kind and two that are made to fail. */
export interface World {
	gateway: WatchedGateway;
	/** The endpoint. */
	url: string;
	/** The way to the broken HTTP server. */
	proxy: FaultProxy;
	server: HttpMcpServer;
	/** Ends the broken HTTP server and starts it again on its port. */
	restart(): Promise<void>;
	/** Processes of the broken stdio target. */
	brokenChildren(): number[];
	/** The configuration with which it started. */
	config: string;
}

/** Tools of targets that nothing is done to. */
export const healthyTools = ['oldhttp_echo', 'newhttp_echo', 'oldstdio_echo', 'newstdio_echo'];
export const brokenTools = ['badhttp_echo', 'badstdio_echo'];

export async function makeWorld(scope: Scope): Promise<World> {
	let server = await HttpMcpServer.start({ eras: ['legacy'], tools: ['echo'] });
	faultPerCall(server);
	const proxy = await FaultProxy.start(server.port);
	scope.own(async () => {
		await proxy.close();
		await server.close();
	});
	const config = quickly(
		mcpConfig(
			[
				httpTarget('oldhttp', await echoServer(scope)),
				httpTarget('newhttp', await echoServer(scope, 'modern')),
				echoTarget('oldstdio'),
				echoTarget('newstdio', 'modern'),
				httpTarget('badhttp', proxy.url),
				fixtureTarget('badstdio'),
			].join('\n'),
		),
	);
	// What a bad file makes it say is expected.
	const gateway = await startGateway(scope, config, { errors: /Failed to reload config/ });
	return {
		gateway,
		url: `${gateway.url()}/mcp`,
		proxy,
		get server() {
			return server;
		},
		async restart() {
			const { port } = server;
			await server.close();
			server = await HttpMcpServer.start({ eras: ['legacy'], tools: ['echo'] }, port);
			faultPerCall(server);
		},
		brokenChildren: () =>
			gateway
				.children()
				.filter(({ command }) => command.includes(fixtureServer))
				.map(({ pid }) => pid),
		config,
	};
}

/** What a vanished client leaves ends soon enough to be looked for. */
function quickly(yaml: string): string {
	return yaml.replace('  mcp:\n', '  mcp:\n    limits: { vanishedTimeout: 10s }\n');
}
