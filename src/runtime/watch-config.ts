import type { Problem } from '../config/ir.ts';
import type { LoadResult } from '../config/load.ts';
import { ConfigEditor } from './config-editor.ts';
import type { Core, GatewayOptions } from './core.ts';
import { Reload } from './reload.ts';

/** Reads the configuration file of a gateway again when it changes, and lets the admin API write it; null for a configuration that stands in no file. */
export function watchConfig(
	{ file, config, logger }: GatewayOptions,
	core: Core,
	apply: (read: LoadResult & { ok: true }) => Promise<readonly Problem[]>,
): Reload | null {
	if (file === null) return null;
	const reload = new Reload({
		...file,
		started: config.settings,
		logger: logger.scoped('agentgateway::config'),
		apply,
		show: (view) => core.showConfig(view),
	});
	core.editWith(new ConfigEditor(file.file, reload, () => core.running));
	return reload;
}
