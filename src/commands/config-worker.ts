// The entry of the thread that reads configurations (config-thread.ts).
import { parentPort } from 'node:worker_threads';
import { configTasks } from './config-task.ts';
import type { TaskAnswer, TaskMessage } from './config-task.ts';

parentPort?.on('message', (message: TaskMessage) => {
	parentPort?.postMessage(answer(message));
});

function answer({ id, kind, input }: TaskMessage): TaskAnswer {
	try {
		// The other side has typed both.
		return { id, output: configTasks[kind](input as never) };
	} catch (fault) {
		return { id, fault: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) };
	}
}
