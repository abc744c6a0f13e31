/** What the flags say; both absent means the default file. */
export interface CliOptions {
	file?: string;
	config?: string;
	validateOnly?: boolean;
}
