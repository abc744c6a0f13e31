import type { ConfigErrorView } from './state.ts';
import type { Unmasked } from './unmask.ts';

/** A new configuration. */
export interface ConfigWrite {
	/**
	 * The whole document, which is merged into the file, or a text, which replaces it. Secrets that the client was not
	 * shown come from `document`, what stands in the file when it is written.
	 */
	value(document: unknown): Unmasked;
	/** Tag of the file that it was made from; null: whatever stands there now. */
	readonly tag: string | null;
	/** Whether the writer has shown the admin token, and so may name commands to be run and use variables and secrets. */
	readonly trusted: boolean;
}

/** What became of a write. Only `applied` has changed anything, or `stopping` and `refused` when they say so. */
export type ConfigWritten =
	| { readonly outcome: 'applied'; readonly tag: string; readonly needsRestart: readonly string[] }
	/** A secret is masked at these paths, and none stands there in the file. */
	| { readonly outcome: 'masked'; readonly paths: readonly string[] }
	| { readonly outcome: 'invalid'; readonly problems: readonly ConfigErrorView[] }
	/** It is well-formed, but could not come into effect. `written`: the file is all the same; the old text could not be put back. */
	| { readonly outcome: 'refused'; readonly problems: readonly ConfigErrorView[]; readonly written: boolean }
	/** A document cannot be merged into what stands in the file. */
	| { readonly outcome: 'unreadable'; readonly problems: readonly ConfigErrorView[] }
	/** The file is not what it was made from any more. */
	| { readonly outcome: 'stale'; readonly tag: string }
	/** `secrets`: places where it uses a variable or a secret that did not use it before. */
	| { readonly outcome: 'untrusted'; readonly commands: readonly string[]; readonly secrets: readonly string[] }
	/** The gateway is ending. `written`: the file is, and comes into effect with the next start. */
	| { readonly outcome: 'stopping'; readonly written: boolean }
	| { readonly outcome: 'unwritable'; readonly reason: string };
