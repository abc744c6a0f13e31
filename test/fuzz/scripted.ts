import { Random } from './random.ts';
import { World } from './world.ts';

/**
 * Calls a tool of a server in memory that answers with these messages, in which `$id` stands for the id of the request.
 * Gives what was wrong with what came of it, null when nothing was.
 */
export async function scripted(
	over: 'stdio' | 'http',
	modern: boolean,
	answers: readonly string[],
): Promise<string | null> {
	const random = new Random(1);
	const world = new World(random, [{ name: 'a', over, modern, honest: true, script: answers }]);
	await world.start();
	for (const message of world.calls('a_echo')) world.send(message);
	await world.finish(random);
	await world.canary();
	await world.close();
	return world.faults[0] ?? null;
}
