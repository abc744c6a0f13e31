import { editConfig } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import type { LoadResult } from '../config/load.ts';
import { MAX_CONFIG_BYTES } from '../config/read.ts';
import { foreseenFault } from '../processes/foreseen-fault.ts';
import { movedSecrets } from '../runtime/moved-secrets.ts';
import type { Edited } from '../runtime/reload.ts';

/** What a text of the configuration is read for, by the name of the task: what it takes, and what it gives. */
export interface ConfigTasks {
	load: { takes: { name: string; text: string }; gives: LoadResult };
	edit: { takes: { text: string; document: unknown }; gives: Edited };
	movedSecrets: { takes: { next: string; now: string; asText: boolean }; gives: string[] };
}

type Tasks = { [Kind in keyof ConfigTasks]: (input: ConfigTasks[Kind]['takes']) => ConfigTasks[Kind]['gives'] };

/** How each task is done. */
export const configTasks: Tasks = {
	load: ({ name, text }) => loadConfig({ name, text }, { env: process.env, foreseenFault }),
	edit({ text, document }) {
		const edited = editConfig(text, document);
		if (edited === null) return { refused: 'no YAML' };
		return Buffer.byteLength(edited) > MAX_CONFIG_BYTES ? { refused: 'too large' } : { text: edited };
	},
	movedSecrets: ({ next, now, asText }) => movedSecrets(next, now, asText),
};

/** A task on its way to the thread. */
export interface TaskMessage {
	kind: keyof ConfigTasks;
	input: unknown;
}

/** What comes back. */
export type TaskAnswer = { output: unknown } | { fault: string };
