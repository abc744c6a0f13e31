// All runs, by name. Each gives the checks that it made.
import { join } from 'node:path';
import { startEverything, startFixture, startGateway } from './servers.mjs';
import { checkClient, checkServer, listClientScenarios } from './suite.mjs';

export const revisions = ['2025-11-25', '2026-07-28'];
const eras = ['both', 'legacy', 'modern'];
const drivers = ['modern', 'legacy'];

/** @returns {{ name: string, short: boolean, run(folder: string): Promise<object[]> }[]} */
export function listRuns() {
	return revisions.flatMap((revision) => [
		{
			name: `direct/both-http/${revision}`,
			short: false,
			run: (folder) => direct(startFixture('http', 'both'), revision, folder),
		},
		{
			name: `direct/everything-http/${revision}`,
			short: false,
			run: (folder) => direct(startEverything('http'), revision, folder),
		},
		...eras.flatMap((era) => ['http', 'stdio'].map((transport) => fixtureRun(era, transport, revision))),
		fixtureRun('legacy', 'sse', revision),
		...['http', 'stdio'].map((transport) => ({
			name: `gateway/everything-${transport}/${revision}`,
			short: false,
			run: (folder) => throughGateway(startEverything(transport), revision, folder),
		})),
		...drivers.map((driver) => ({
			name: `client/${driver}/${revision}`,
			short: false,
			run: (folder) => asClient(`through-gateway.mjs ${driver}`, revision, folder),
		})),
		// What the driver cannot do on its own is not the gateway's fault.
		{ name: `driver/modern/${revision}`, short: false, run: (folder) => asClient('modern.mjs', revision, folder) },
	]);
}

function fixtureRun(era, transport, revision) {
	return {
		name: `gateway/${era}-${transport}/${revision}`,
		short: era === 'both',
		run: (folder) => throughGateway(startFixture(transport, era), revision, folder),
	};
}

async function direct(starting, revision, folder) {
	const server = await starting;
	try {
		return await checkServer(server.url, revision, folder);
	} finally {
		await server.stop();
	}
}

async function throughGateway(starting, revision, folder) {
	const server = await starting;
	try {
		const gateway = await startGateway(server.target);
		try {
			return await checkServer(gateway.url, revision, folder);
		} finally {
			await gateway.stop();
		}
	} finally {
		await server.stop();
	}
}

/** The gateway is the client: the suite's servers are its targets, and a driver makes it work. */
async function asClient(driver, revision, folder) {
	const results = [];
	for (const { name, versions } of await listClientScenarios()) {
		if (!versions.includes(revision)) continue;
		const command = `node tools/drivers/${driver}`;
		results.push(...(await checkClient(command, name, revision, join(folder, name))));
	}
	return results;
}
