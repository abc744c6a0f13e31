import { Command, CommanderError, Option } from 'commander';
import type { CliOptions } from './commands/options.ts';
import { run } from './commands/run.ts';
import { printSchema } from './commands/schema.ts';
import { stdio, type StdioCommandOptions } from './commands/stdio.ts';
import { validate } from './commands/validate.ts';
import { endOnHangup } from './commands/signals.ts';
import { version } from './version.ts';

function program(): Command {
	return new Command('agentgateway')
		.description('An MCP gateway: many MCP servers behind one endpoint.')
		.option('-f, --file <path>', 'configuration file, "-" for standard input')
		.option('-c, --config <text>', 'configuration as YAML or JSON text')
		.option('--validate-only', 'check the configuration and exit')
		.addOption(new Option('-V', 'print the version'))
		.addOption(new Option('--version', 'print build information as JSON'))
		.allowExcessArguments(false)
		.configureHelp({ showGlobalOptions: true })
		.exitOverride();
}

type Subcommand = (options: CliOptions) => number | Promise<number>;

async function main(argv: string[]): Promise<number> {
	const command = program();
	let chosen: Subcommand = run;
	command
		.command('schema')
		.description('print the JSON Schema of the configuration')
		.action(() => {
			chosen = printSchema;
		});
	command
		.command('stdio')
		.description('serve one route on stdin and stdout, for clients that start their servers themselves')
		.option('--route <name>', 'the route to serve; needed when several lead to MCP backends')
		.option('--admin', 'open the admin port, too')
		.action((own: StdioCommandOptions) => {
			chosen = (options) => stdio(options, own);
		});
	// What is no command would else be told as an argument too many.
	command.allowExcessArguments(true).action(() => {
		const [word] = command.args;
		if (word === undefined) return;
		const names = command.commands.map((one) => one.name()).join(', ');
		command.error(`error: unknown command "${word}"; the commands are ${names}. --validate-only checks a file`);
	});
	command.parse(argv, { from: 'user' });
	const options = command.opts<CliOptions & { V?: boolean; version?: boolean }>();
	if (options.V) return print(`${version}\n`);
	if (options.version) return print(`${JSON.stringify(buildInfo(), null, 2)}\n`);
	if (options.file !== undefined && options.config !== undefined) {
		process.stderr.write('error: only one of --config or --file\n');
		return 1;
	}
	const validates = options.validateOnly === true;
	endOnHangup(!validates && chosen !== printSchema);
	return validates ? validate(options) : chosen(options);
}

function buildInfo(): Record<string, string> {
	return { version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
}

function print(text: string): number {
	process.stdout.write(text);
	return 0;
}

main(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		// commander has said what is wrong with the flags already.
		if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 1;
		else {
			process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
			process.exitCode = 1;
		}
	},
);
