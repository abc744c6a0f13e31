// The entry of the thread that reads configurations (config-thread.ts).
import { parentPort } from 'node:worker_threads';
import { configTasks } from './config-task.ts';
import type { TaskAnswer, TaskMessage } from './config-task.ts';

parentPort?.on('message', ({ kind, input }: TaskMessage) => {
	const answer = (one: TaskAnswer) => parentPort?.postMessage(one);
	try {
		// The other side has typed both.
		answer({ output: configTasks[kind](input as never) });
	} catch (fault) {
		answer({ fault: fault instanceof Error ? fault.message : String(fault) });
	}
});
