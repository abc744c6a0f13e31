import type { Failure, ServerFacts } from '../model.ts';

/** What hears of each connection's fate; the admin API and the metrics read it. */
export interface TargetWatch {
	starting(target: string): void;
	ready(target: string, server: ServerFacts): void;
	failed(target: string, failure: Failure, wasReady: boolean): void;
	/** A connection that was starting or ready has been ended by its owner. */
	closed(target: string, wasReady: boolean): void;
}
