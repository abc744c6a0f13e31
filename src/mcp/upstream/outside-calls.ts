import type { Scanned } from '../../lib/json-scan.ts';
import type { Connection } from './connection.ts';
import type { Receiver, TransportFault } from './transport/transport.ts';

/** Who cares when a server cannot be heard any more. */
export interface UnheardOwner {
	/** The stream for what belongs to no call was lost. */
	unheard(connection: Connection, fault: TransportFault): void;
}

/** Passes on what a server says outside of calls. A class, not closures: there is one per session and target. */
export class OutsideCalls implements Receiver {
	private readonly connection: Connection;
	private readonly owner: UnheardOwner;

	constructor(connection: Connection, owner: UnheardOwner) {
		this.connection = connection;
		this.owner = owner;
	}

	message(message: Scanned): void {
		this.connection.unsolicited(message, null);
	}

	failed(fault: TransportFault): void {
		this.owner.unheard(this.connection, fault);
	}
}
