import { expect, onTestFinished } from 'vitest';
import { Agent } from 'undici';
import { LegacyClient, ModernClient } from '../../support/rpc-client.ts';
import { type WatchedGateway, watchGateway, type WatchOptions } from './watched-gateway.ts';

/** A watched gateway for one test, with clients that end before it is looked whether all is back. */
export interface TestGateway extends WatchedGateway {
	legacy(): Promise<LegacyClient>;
	/** `capabilities` is JSON text. */
	modern(capabilities?: string): ModernClient;
}

export interface TestGatewayOptions extends WatchOptions {
	/** What may be left when the clients have gone: matched against `descriptors: …`, `resources: …`, `child …`. */
	left?: RegExp;
}

/**
 * Starts a gateway that ends with the test, and lets the test fail by what it does not look at itself: an error line,
 * a stack trace or a secret in log, dump or metrics, and descriptors, timers or children that are not back at what they
 * were after the start once all clients have gone.
 */
export async function testGateway(yaml: string, options: TestGatewayOptions = {}): Promise<TestGateway> {
	const gateway = await watchGateway(yaml, options);
	const agent = new Agent();
	const sessions: LegacyClient[] = [];
	let pooled = false;
	onTestFinished(async () => {
		const found: string[] = [];
		if (gateway.process.exitCode === null && gateway.process.signalCode === null) {
			await Promise.all(sessions.map((one) => one.end().catch(() => 0)));
			await agent.destroy();
			// Connections for clients without sessions are kept for a minute; that their processes end is seen in the end.
			const left = pooled ? [] : await gateway.leftovers();
			found.push(...left.filter((line) => options.left === undefined || !options.left.test(line)));
		} else await agent.destroy();
		found.push(...(await gateway.finish()));
		expect(found, gateway.log()).toEqual([]);
	}, 60_000);
	return Object.assign(gateway, {
		async legacy() {
			const client = await LegacyClient.open(`${gateway.url()}/mcp`, agent);
			sessions.push(client);
			return client;
		},
		modern(capabilities?: string) {
			pooled = true;
			return new ModernClient(`${gateway.url()}/mcp`, agent, capabilities);
		},
	});
}
