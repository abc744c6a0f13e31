// `npm start`: installs and builds what is missing or old, then runs the gateway. Needs nothing but Node and npm.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

const parent = process.ppid;
// npm runs scripts in the project's folder; a file is meant from where the command was typed.
const from = process.env['INIT_CWD'] ?? process.cwd();
prepare();
const own = process.argv.slice(2);
const chosen = own.some((arg) => /^(-f|-c|--file|--config)(=|$)/.test(arg) || /^-[fc]./.test(arg));
const args = chosen ? own : ['-f', 'examples/demo.yaml', ...own];
const gateway = spawn(process.execPath, [join(root, 'bin/agentgateway.mjs'), ...args], {
	cwd: chosen ? from : root,
	stdio: 'inherit',
});
// A terminal sends Ctrl-C to the gateway, too; a second one from here would end it at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => signal !== 'SIGINT' && gateway.kill(signal));
// npm hands SIGTERM to a shell in between, which ends without passing it on.
if (process.env['npm_lifecycle_event'] !== undefined) {
	const watch = setInterval(() => {
		if (process.ppid === parent) return;
		clearInterval(watch);
		gateway.kill('SIGTERM');
	}, 200);
	watch.unref();
}
gateway.on('exit', (code, signal) => {
	process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
