import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../support/gateway.ts';
import { atMost, none, type Soak } from '../soak.ts';

interface Figures {
	/** Connections to the server before the line was cut. */
	before: number;
	/** Seconds until the call that was under way had its error; null: never. */
	answered: number | null;
	answer: string | null;
	/** Seconds until no connection was left. */
	freed: number;
	/** Seconds from the line's return until a call was served. */
	back: number;
}

/** A server whose line dies without a word. Takes half a minute at least, and root: it makes network namespaces. */
export const deadPeer: Soak = {
	name: 'dead-peer',
	async run(scope) {
		if (scope.short) return [];
		const driver = join(root, 'test/fixtures/dead-peer/driver.mjs');
		const command = ['-n', process.execPath, driver, join(root, 'bin/agentgateway.mjs')];
		// Where there are no namespaces to be had, it fails: what was not tried is not met.
		const { stdout } = await promisify(execFile)('unshare', command, { timeout: 180_000 });
		const { before, answered, answer, freed, back } = JSON.parse(stdout) as Figures;
		const named = answer?.includes('target \\"a\\" did not answer') === true;
		return [
			none('dead line: nothing stood before it was cut', before > 0 ? [] : ['no connection']),
			none('dead line: the call under way had no error that names the target', named ? [] : [String(answer)]),
			atMost('dead line: error for the call under way', 45, answered ?? Number.POSITIVE_INFINITY, ' s', true),
			atMost('dead line: all connections freed', 45, freed, ' s', true),
			atMost('dead line: next call served once it is back', 5, back, ' s'),
		];
	},
};
