import type { Catalog } from './lists/catalog.ts';
import type { Findings } from './lists/findings.ts';
import type { Naming } from './names.ts';
import type { Owners } from './owners.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Upstreams } from './legs/upstreams.ts';

/** What dispatching needs to know of the backend, beside the caller's connections. */
export interface DispatchContext {
	readonly upstreams: Upstreams;
	readonly naming: Naming;
	readonly catalog: Catalog;
	/** Who owns a name that does not say it. */
	readonly owners: Owners;
	readonly findings: Findings;
	readonly subscriptions: Subscriptions;
	readonly strict: boolean;
	warn(message: string): void;
}
