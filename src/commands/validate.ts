import type { CliOptions } from './options.ts';
import { renderProblems } from '../config/render.ts';
import { chooseConfig } from './config.ts';

/** `--validate-only`: loads the configuration and says whether it would start. */
export async function validate(options: CliOptions): Promise<number> {
	const chosen = await chooseConfig(options);
	if (chosen === null) return 1;
	for (const warning of chosen.config.warnings)
		process.stderr.write(`warning: ${renderProblems([warning], { color: false })}\n`);
	process.stdout.write('Configuration is valid!\n');
	return 0;
}
