import { expect } from 'vitest';
import { mcpConfig, type RunningGateway, runGateway } from './gateway.ts';

/** A gateway in front of one target `a` of the kind `mcp` or `sse`; waits 2 s for it. `closing` gets its end. */
export async function inFrontOf(
	kind: 'mcp' | 'sse',
	url: string,
	closing: (() => Promise<unknown>)[],
): Promise<RunningGateway> {
	const yaml = mcpConfig(`- name: a\n  ${kind}: { host: "${url}" }`);
	const gateway = await runGateway(yaml.replace('targetStartTimeout: 10s', 'targetStartTimeout: 2s'));
	closing.push(async () => {
		expect(await gateway.stop()).toBe(0);
		expect(gateway.log()).not.toMatch(/internal error|Unhandled|uncaught/i);
	});
	return gateway;
}
