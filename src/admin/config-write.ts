import type { ConfigErrorView } from './state.ts';

/** A new configuration. */
export interface ConfigWrite {
	/** The whole document, which is merged into the file, or a text, which replaces it. */
	readonly value: unknown;
	/** Tag of the file that it was made from; null: whatever stands there now. */
	readonly tag: string | null;
	/** Whether the writer has shown the admin token, and so may name commands to be run and use variables and secrets. */
	readonly trusted: boolean;
}

/** What became of a write. Only `applied` has changed anything. */
export type ConfigWritten =
	| { readonly outcome: 'applied'; readonly tag: string; readonly needsRestart: readonly string[] }
	| { readonly outcome: 'invalid'; readonly problems: readonly ConfigErrorView[] }
	/** It is well-formed, but could not come into effect. */
	| { readonly outcome: 'refused'; readonly problems: readonly ConfigErrorView[] }
	/** The file is not what it was made from any more. */
	| { readonly outcome: 'stale'; readonly tag: string }
	/** `secrets`: places where it uses a variable or a secret that did not use it before. */
	| { readonly outcome: 'untrusted'; readonly commands: readonly string[]; readonly secrets: readonly string[] }
	| { readonly outcome: 'unwritable'; readonly reason: string };
