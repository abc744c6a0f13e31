import type { McpBackendConfig, Route } from '../ir.ts';
import type { Path } from '../path.ts';
import type { Report } from '../report.ts';

/** What the system around the file offers. */
export interface LoadContext {
	env: Record<string, string | undefined>;
	/** Why a program cannot be started, as far as that can be seen; null: nothing speaks against it. */
	foreseenFault(program: { command: string; path: string | undefined; cwd: string | null }): {
		key: 'cmd' | 'cwd';
		message: string;
		remedy: string;
	} | null;
}

/** What every part of the expansion may use. */
export interface Scope {
	report: Report;
	context: LoadContext;
	/** Path of a mapping or list of the written configuration. */
	pathOf(node: object): Path;
	/** Top-level backends by name; null for one whose own faults are reported already. */
	backends: Map<string, McpBackendConfig | null>;
	/** Keys of inline backends that are taken, and how often they were wanted. */
	backendKeys: Map<string, number>;
	/** Where the port of a bind is written, by the bind's key. */
	portPaths: Map<string, Path>;
	/** Files that the configuration names and that are read with it, as absolute paths or relative to the working directory. */
	references: Set<string>;
	/** The routes of a listener by key. */
	routesByKey: WeakMap<Route[], Map<string, Route>>;
}
