import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigView } from '../../src/admin/state.ts';
import { until } from '../processes/children.ts';
import { type RunningGateway, type RunOptions, spawnGateway } from '../support/gateway.ts';
import { stateOf } from '../support/state.ts';

/** A gateway whose file the test edits. */
export interface EditedGateway extends RunningGateway {
	readonly folder: string;
	readonly file: string;
	config(): Promise<ConfigView>;
	/** Writes the file in place, and resolves when the gateway has taken or refused what it says. */
	edit(yaml: string): Promise<ConfigView>;
	/** Lets `change` change the file, and resolves when the gateway has read it. */
	after(change: () => void): Promise<ConfigView>;
	/** SIGTERM, and the folder away. */
	end(): Promise<void>;
}

/** Starts the command with a file in a folder of its own. */
export async function editGateway(yaml: string, options: RunOptions = {}): Promise<EditedGateway> {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-reload-'));
	const file = join(folder, 'config.yaml');
	writeFileSync(file, yaml);
	const gateway = spawnGateway(['-f', file], options);
	await gateway.waitFor(/Admin UI available at/);
	const config = async () => (await stateOf(gateway)).config;
	const after = async (change: () => void) => {
		const { since } = await config();
		change();
		let view = await config();
		await until('the file is read again', 10_000, async () => {
			view = await config();
			return view.since !== since;
		});
		return view;
	};
	// The getters of the addresses must stay getters.
	return Object.assign(Object.create(gateway) as RunningGateway, {
		folder,
		file,
		config,
		after,
		edit: (text: string) => after(() => writeFileSync(file, text)),
		end: async () => {
			await gateway.stop();
			rmSync(folder, { recursive: true, force: true });
		},
	});
}

/** A route as a YAML list item, for one path; targets as YAML list items. */
export function routeTo(path: string, targets: string[], extra = ''): string {
	return `    - matches:
      - path: { exact: ${path} }
${extra.replace(/^(?=.)/gm, '      ')}
      backends:
      - mcp:
          targets:
${targets.join('\n').replace(/^/gm, '          ')}`;
}

/** A whole file with one bind. */
export function fileOf(routes: string[], head = '', port = 0): string {
	return `${head}
binds:
- port: ${port}
  listeners:
  - routes:
${routes.join('\n')}
`;
}
