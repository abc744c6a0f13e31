import { code, mcpError } from '../errors.ts';
import type { Ask } from '../model.ts';

/** Answers a question that nobody is there to be asked. */
export function refuseAsk(ask: Ask): void {
	ask.answer({ error: mcpError(code.methodNotFound, `no client can be asked ${ask.method} here`) });
}
