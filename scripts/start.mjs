// `npm start`: installs and builds what is missing or old, then runs the gateway. Needs nothing but Node and npm.
import { spawn } from 'node:child_process';
import { prepare } from './prepare.mjs';

prepare();
const own = process.argv.slice(2);
const chosen = own.some((arg) => /^(-f|-c|--file|--config)(=|$)/.test(arg) || /^-[fc]./.test(arg));
const args = ['bin/agentgateway.mjs', ...(chosen ? own : ['-f', 'examples/demo.yaml', ...own])];
const gateway = spawn(process.execPath, args, { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => signal !== 'SIGINT' && gateway.kill(signal));
gateway.on('exit', (code, signal) => {
	process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
