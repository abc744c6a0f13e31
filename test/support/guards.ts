import { existsSync, readFileSync } from 'node:fs';

/** The pids of a gateway's guard. Linux only. */
export function guardsOf(gatewayPid: number): number[] {
	const children = readFileSync(`/proc/${gatewayPid}/task/${gatewayPid}/children`, 'utf8').trim().split(' ');
	return children
		.filter((one) => existsSync(`/proc/${one}`))
		.filter((one) => readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('agentgateway-watchdog'))
		.map(Number);
}
