// What the benches of lists and large results share: cases that each call one method, and gateways before HTTP targets.
import { prepareWith } from './client.mjs';

/** The first case, to which the others are compared, is always there; of the others those that are asked for. */
export function casesOf(setup, method, target) {
	const cases = [];
	return {
		cases,
		async add(name, server, era, tool = null) {
			if (cases.length > 0 && !setup.only.test(name)) return;
			const url = `http://127.0.0.1:${server.port}/mcp`;
			const call = await prepareWith(url, era, method, tool);
			cases.push({ name, url, pid: server.pid, call, target: name.startsWith('gateway') ? target : null });
		},
		/** A gateway before HTTP targets `t0`, `t1` … on these ports. */
		gateway(name, ...ports) {
			const targets = ports.map((port, i) => `{ name: t${i}, mcp: { host: "http://127.0.0.1:${port}/mcp" } }`);
			return setup.gateway(name, targets);
		},
	};
}
