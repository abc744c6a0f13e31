import type { Naming } from './names.ts';
import type { Owners } from './owners.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Upstreams } from './upstreams.ts';

/** What dispatching needs to know of the backend, beside the caller's connections. */
export interface DispatchContext {
	readonly upstreams: Upstreams;
	readonly naming: Naming;
	/** Who owns a plain name, when names are not prefixed. */
	readonly owners: Owners;
	readonly subscriptions: Subscriptions;
	readonly strict: boolean;
	warn(message: string): void;
}
