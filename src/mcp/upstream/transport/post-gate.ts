/** Who has messages to post. */
export interface Poster {
	/** There is room: sends what may be sent. */
	pump(): void;
}

/** So many of the connections that calls have to one server may be held by what wants no answer. */
const maximumOnWay = 256;

/**
 * The room for messages that want no answer, of all who talk to one server. They are quick, unless the server leaves
 * them unanswered; then they would hold the connections that calls need.
 */
export class PostGate {
	private left = maximumOnWay;
	private readonly waiting = new Set<Poster>();
	private waking = false;

	/** False: the poster hears when there is room. */
	enter(poster: Poster): boolean {
		if (this.left > 0) {
			this.left--;
			return true;
		}
		this.waiting.add(poster);
		return false;
	}

	/** A message is over. Those who wait have their turn one after the other. */
	leave(): void {
		this.left++;
		// One that is over at once leaves in the middle of it: thousands would be as many calls deep.
		if (this.waking) return;
		this.waking = true;
		try {
			for (const poster of this.waiting) {
				if (this.left === 0) return;
				this.waiting.delete(poster);
				poster.pump();
			}
		} finally {
			this.waking = false;
		}
	}

	forget(poster: Poster): void {
		this.waiting.delete(poster);
	}
}
