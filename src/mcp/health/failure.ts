/** Why an upstream cannot serve, for a person to read. */
export interface Failure {
	/** One sentence without the target's name: "command `uvx` was not found". */
	readonly reason: string;
	/** What to do about it; may be empty. */
	readonly remedy: string;
	/** The address that it is about, with the words of the system: for the log, not for clients. */
	readonly where?: string;
	readonly exitCode: number | null;
	readonly signal: string | null;
	/** Last stderr lines, oldest first. */
	readonly stderr: readonly string[];
	/** There is no room for another process or connection now; there may be after so many seconds. */
	readonly retryAfter?: number;
	/** Of a start that counts already: another one was not made. */
	readonly untried?: true;
}
