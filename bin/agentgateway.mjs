#!/usr/bin/env node
// Old syntax on purpose: a Node below the floor must get this line, not a SyntaxError.
var found = process.versions.node.split('.').map(Number);
if (found[0] < 20 || (found[0] === 20 && found[1] < 19)) {
	process.stderr.write('agentgateway needs Node 20.19 or newer; this is Node ' + process.versions.node + '.\n');
	process.exit(1);
}
// Before anything is loaded, which takes a while. Without a listener, node opens a debugger, by which everybody on this
// machine could take the process over.
process.on('SIGUSR1', function () {});
// Without a listener it would end the process. The program says what it means, and reads the file after this.
process.on('SIGHUP', function () {});
import('../dist/heap-flags.js')
	.then(function (early) {
		// Before the program itself, while there was nothing to collect yet: V8 keeps what it has planned.
		early.setHeapFlags();
		return import('../dist/cli.js');
	})
	.catch(function (error) {
		if (error && error.code === 'ERR_MODULE_NOT_FOUND') {
			process.stderr.write('agentgateway is not built yet; run "npm run build" in its folder.\n');
		} else process.stderr.write(String((error && error.stack) || error) + '\n');
		process.exit(1);
	});
