// The entry of the thread that reads configurations (config-thread.ts).
import { parentPort } from 'node:worker_threads';
import { configTasks } from './config-task.ts';
import type { TaskAnswer, TaskMessage } from './config-task.ts';

parentPort?.on('message', (message: TaskMessage) => {
	parentPort?.postMessage(answer(message));
});

function answer({ kind, input }: TaskMessage): TaskAnswer {
	try {
		// The other side has typed both.
		return { output: configTasks[kind](input as never) };
	} catch (fault) {
		return { fault: fault instanceof Error ? fault.message : String(fault) };
	}
}
