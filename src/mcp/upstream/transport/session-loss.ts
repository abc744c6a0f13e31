/**
 * Whether a reply to a request that named a session says that the server does not know it (any more). The protocol
 * wants 404; older SDKs answer 400 and say so in words, before they look for a handler. `likely`: by these words.
 */
export function sessionLoss(status: number, inSession: boolean, body: Buffer): boolean | 'likely' {
	if (!inSession) return false;
	if (status === 404) return true;
	return status === 400 && unknownSession.test(body.toString('latin1', 0, maximumWords)) ? 'likely' : false;
}

const maximumWords = 1024;
/** Such as "Bad Request: No valid session ID provided", "Invalid session ID", "Bad Request: Server not initialized". */
const unknownSession =
	/\b(no valid|invalid|unknown|expired|missing) (or (missing|expired|unknown) )?session|session[\s\w-]{0,20} (not found|expired|unknown|does not exist)|not initialized/i;
