import { Latest } from '../../lib/latest.ts';
import type { ReadPage } from './list-page.ts';
import type { ExposedList } from './exposed-list.ts';
import type { KeptAnswer } from './kept-lists.ts';

/**
 * The lists that the clients of one backend have now. Most have the same ones: what is equal byte for byte is kept in
 * memory once, and read, merged and laid out for clients once. Nothing is kept here that no client has any more.
 */
export class SharedLists {
	/** Pages as they were read last, by target, list and number. */
	readonly pages = new Latest<ReadPage>();
	/** First pages as servers gave them last, by target and list. */
	readonly answers = new Latest<KeptAnswer>();
	/** Merged lists, by method. */
	readonly merged = new Latest<ExposedList>();
}
