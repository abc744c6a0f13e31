import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cell, cells, protocolSupport } from './table.ts';

/**
 * The table after a run that wrote what has passed into `folder`.
 * @throws when a cell that the table promises has not passed, naming all of them
 */
export function tableOfRun(folder: string): string {
	const key = ({ combo, requirement, kind }: Cell) =>
		`${combo.transport}-${combo.upstream}.json ${requirement.id} ${kind}`;
	const passed = new Set<string>();
	for (const file of new Set(cells().map(({ combo }) => `${combo.transport}-${combo.upstream}.json`))) {
		for (const one of JSON.parse(readFileSync(join(folder, file), 'utf8')) as string[]) passed.add(`${file} ${one}`);
	}
	const missing = cells()
		.map(key)
		.filter((one) => !passed.has(one));
	if (missing.length > 0) throw new Error(`not passed:\n${missing.join('\n')}`);
	return protocolSupport();
}
