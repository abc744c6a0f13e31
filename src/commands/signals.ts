/** The first SIGTERM or SIGINT. A second one ends the process at once; the watchdog ends the children then. */
export function untilSignal(): Promise<NodeJS.Signals> {
	return new Promise((resolve) => {
		let first = true;
		const take = (signal: NodeJS.Signals) => {
			if (!first) process.exit(signal === 'SIGINT' ? 130 : 143);
			first = false;
			resolve(signal);
		};
		process.on('SIGINT', take);
		process.on('SIGTERM', take);
	});
}
