/** Why nothing was started, for a person to read. */
export interface StartRefusal {
	readonly reason: string;
	readonly remedy: string;
	/** There is no room now; another try may succeed after so many seconds. */
	readonly retryAfter?: number;
}
