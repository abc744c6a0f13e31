import { describe } from 'vitest';
import { servers } from './requirement.ts';
import { runMatrix } from './run.ts';

for (const { transport, upstream } of servers) {
	// Mostly waiting: all kinds of servers at once take little longer than one of them.
	describe(`${upstream} server over ${transport}`, { concurrent: true }, () => runMatrix(transport, upstream));
}
