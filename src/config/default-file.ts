import { join } from 'node:path';

/** A stdio server of the demo. */
export interface DemoTarget {
	name: string;
	cmd: string;
	args: readonly string[];
}

/**
 * The file that is used without `-f` and `-c` (contract section 2): `/config/config.yaml` where `/config` is writable, else
 * `agentgateway/config.yaml` under XDG_CONFIG_HOME or `~/.config`. `home` is the user's home directory.
 */
export function defaultConfigPath(
	env: Record<string, string | undefined>,
	home: string,
	isWritable: (directory: string) => boolean,
): string {
	if (isWritable('/config')) {
		return '/config/config.yaml';
	}
	return join(env.XDG_CONFIG_HOME || join(home, '.config'), 'agentgateway', 'config.yaml');
}

/** The text of that file when it is made: the demo targets on port 3000. */
export function defaultConfigText(targets: readonly DemoTarget[]): string {
	const entries = targets.map(
		({ name, cmd, args }) => `  - name: ${name}
    stdio:
      cmd: ${quote(cmd)}
      args: [${args.map(quote).join(', ')}]
`,
	);
	return `# Made on the first start. Point an MCP client at http://localhost:3000/mcp,
# or open http://localhost:15000/ui/. Every key: agentgateway schema
mcp:
  port: 3000
  targets:
${entries.join('')}`;
}

/** JSON strings are YAML strings; a dollar sign is doubled because the file's text is expanded before it is parsed. */
function quote(text: string): string {
	return JSON.stringify(text).replaceAll('$', '$$$$');
}
