import type { Ask, Failure, Notice, ServerFacts, UpstreamEvents } from '../model.ts';
import { refuseAsk } from '../asks/refuse-ask.ts';

/** What the leg of a link hears of it. */
export interface LinkOwner {
	/** `unheard`: it goes on with what stood before, so that nothing has come from the server. */
	joined(server: ServerFacts, unheard: boolean): void;
	lost(failure: Failure): void;
	noted(notice: Notice): void;
	asked(ask: Ask): void;
}

/** One connection of a leg, until it has failed. A class, not four closures: there is one per session and target. */
export class LegLink implements UpstreamEvents {
	private owner: LinkOwner | null;
	private readonly resumed: boolean;

	constructor(owner: LinkOwner, resumed: boolean) {
		this.owner = owner;
		this.resumed = resumed;
	}

	ready(server: ServerFacts, kept = false): void {
		this.owner?.joined(server, kept || this.resumed);
	}

	failed(failure: Failure): void {
		const { owner } = this;
		this.owner = null;
		owner?.lost(failure);
	}

	note(notice: Notice): void {
		this.owner?.noted(notice);
	}

	ask(ask: Ask): void {
		if (this.owner === null) refuseAsk(ask);
		else this.owner.asked(ask);
	}
}
