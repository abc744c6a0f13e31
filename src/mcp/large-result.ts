import { type PiecedMember, type PiecedObject, readPieces } from '../lib/json-pieces.ts';
import { cutPieces } from '../lib/splice-pieces.ts';
import { placeNames } from './places.ts';

/**
 * A complete result too large to be put together, in the pieces in which it came. It is UTF-8 without a line break;
 * whether it is JSON is found out only where somebody has to look inside, and once.
 */
export class LargeResult {
	/** The result object. */
	readonly pieces: readonly Buffer[];
	/** As in `Result`. */
	readonly stamped: boolean;
	private found: PiecedObject | null | undefined = undefined;

	constructor(pieces: readonly Buffer[], stamped: boolean) {
		this.pieces = pieces;
		this.stamped = stamped;
	}

	/** Its members; null when it is none that can be read in pieces. */
	get members(): readonly PiecedMember[] | null {
		return this.read()?.members ?? null;
	}

	/** Whether it was found to be JSON without any place (`places.ts`) in it. */
	get placeless(): boolean {
		return this.read()?.named === false;
	}

	/** A copy of some of its bytes. */
	bytes(start: number, end: number): Buffer {
		return Buffer.concat(cutPieces(this.pieces, start, end));
	}

	private read(): PiecedObject | null {
		if (this.found === undefined) this.found = readPieces(this.pieces, placeNames);
		return this.found;
	}
}
