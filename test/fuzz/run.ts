import { type ClientMessage, clientMessage } from './client-grammar.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

/** What a run found. */
export interface FuzzOutcome {
	/** Messages of clients and of servers. */
	readonly messages: number;
	/** null: nothing. */
	readonly fault: FuzzFault | null;
}

export interface FuzzFault {
	/** Makes the same messages again. */
	readonly seed: number;
	readonly what: string;
	/** The messages of the round in which it showed. */
	readonly round: readonly ClientMessage[];
}

/** Messages of clients that are under way together. */
const roundSize = 50;
/** Rounds after which the canary is sent. */
const canaryEvery = 10;

/** Sends `count` messages through a gateway in memory, and answers them oddly. Stops at the first fault. */
export async function fuzz(seed: number, count: number): Promise<FuzzOutcome> {
	const random = new Random(seed);
	const world = new World(random);
	const uncaught = (fault: unknown) =>
		world.faults.push(`uncaught: ${fault instanceof Error ? fault.stack : String(fault)}`);
	process.on('uncaughtException', uncaught);
	process.on('unhandledRejection', uncaught);
	let sent = 0;
	let round: ClientMessage[] = [];
	try {
		await world.start();
		for (let at = 1; sent + world.sent < count && world.faults.length === 0; at++) {
			round = [];
			for (let one = 0; one < roundSize; one++) {
				const message = clientMessage(random, world.learnt);
				round.push(message);
				world.send(message);
				sent++;
				if (random.once(20)) await world.turn();
			}
			await world.settle(random);
			if (at % canaryEvery === 0) await world.canary();
		}
		if (world.faults.length === 0) await world.finish(random);
		await world.close();
	} finally {
		process.off('uncaughtException', uncaught);
		process.off('unhandledRejection', uncaught);
	}
	const [what] = world.faults;
	return { messages: sent + world.sent, fault: what === undefined ? null : { seed, what, round } };
}
