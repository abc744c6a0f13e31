import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cells, keyOf, protocolSupport } from './table.ts';

/** The table after a run that wrote what has passed into `folder`, and what has not. */
export function tableOfRun(folder: string): { text: string; failed: string[] } {
	const passed = new Set<string>();
	for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
		for (const one of JSON.parse(readFileSync(join(folder, file), 'utf8')) as string[]) {
			passed.add(`${file.replace('.json', '')} ${one}`);
		}
	}
	const failed = cells().filter((cell) => !passed.has(keyOf(cell)));
	return { text: protocolSupport(failed), failed: failed.map(keyOf) };
}
