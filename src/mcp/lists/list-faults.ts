import { cutText } from '../../lib/cut.ts';
import type { List } from './collection.ts';
import type { ListKind } from './list-kind.ts';
import { code } from '../errors.ts';
import type { McpError } from '../model.ts';

/** A list of a target that clients do not get, or not whole. */
export interface ListFault {
	/** `tools`, `prompts`, `resources` or `resourceTemplates`. */
	readonly list: string;
	/** `the server failed tools/list: boom` */
	readonly reason: string;
}

/** Why lists of a backend's targets are not there, as of the last time that anybody asked for them. */
export class ListFaults {
	/** By target and list. */
	private readonly faults = new Map<string, Map<string, string>>();
	private readonly changed: (target: string) => void;

	/** `changed` is called with each target of which something else is missing than before. */
	constructor(changed: (target: string) => void) {
		this.changed = changed;
	}

	of(target: string): ListFault[] {
		return [...(this.faults.get(target) ?? [])].map(([list, reason]) => ({ list, reason }));
	}

	/** The list of a target came, or ended in an error. */
	came(target: string, kind: ListKind, list: List | McpError): void {
		// Tasks are one client's.
		if (kind.type === 'task') return;
		if ('code' in list) {
			if (list.code === code.cancelled) return;
			this.set(target, kind, `the server failed ${kind.method}: ${list.message}`);
		} else if (list.cut !== null) this.set(target, kind, `what ${kind.method} gave was cut: ${list.cut}`);
		else this.clear(target, kind);
	}

	/** The list of a target is there. */
	clear(target: string, kind: ListKind): void {
		const faults = this.faults.get(target);
		if (faults?.delete(kind.field) !== true) return;
		if (faults.size === 0) this.faults.delete(target);
		this.changed(target);
	}

	/** Clients were answered before the list of a target came; it may still come. */
	late(target: string, kind: ListKind): void {
		if (kind.type === 'task' || this.faults.get(target)?.has(kind.field) === true) return;
		this.set(target, kind, `the server has not answered ${kind.method} in time; it is waited for`);
	}

	private set(target: string, kind: ListKind, whole: string): void {
		const reason = cutText(whole);
		const faults = this.faults.get(target) ?? new Map<string, string>();
		if (faults.get(kind.field) === reason) return;
		this.faults.set(target, faults.set(kind.field, reason));
		this.changed(target);
	}
}
