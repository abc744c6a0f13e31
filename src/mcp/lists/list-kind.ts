import type { ServerFacts } from '../model.ts';
import type { ItemType } from '../names.ts';

/** One kind of thing that servers list. */
export interface ListKind {
	readonly method: string;
	/** Member of the result that holds the items. */
	readonly field: string;
	/** Member of an item that names it. */
	readonly key: 'name' | 'uri' | 'uriTemplate' | 'taskId';
	readonly type: ItemType | 'task';
	/** Capability without which a server is not asked. */
	readonly capability: 'tools' | 'prompts' | 'resources' | 'tasks';
}

const tools = { method: 'tools/list', field: 'tools', key: 'name', type: 'tool', capability: 'tools' } as const;
const prompts = {
	method: 'prompts/list',
	field: 'prompts',
	key: 'name',
	type: 'prompt',
	capability: 'prompts',
} as const;
const resources = {
	method: 'resources/list',
	field: 'resources',
	key: 'uri',
	type: 'resource',
	capability: 'resources',
} as const;
const templates = {
	method: 'resources/templates/list',
	field: 'resourceTemplates',
	key: 'uriTemplate',
	type: 'resource',
	capability: 'resources',
} as const;
const tasks = { method: 'tasks/list', field: 'tasks', key: 'taskId', type: 'task', capability: 'tasks' } as const;

/** The lists of MCP. */
export const listKinds = { tools, prompts, resources, templates, tasks } satisfies Record<string, ListKind>;

/** Whether a server offers a list. */
export function offers(server: ServerFacts, kind: ListKind): boolean {
	const capability = server.capabilities[kind.capability];
	if (kind.type !== 'task') return capability !== undefined;
	return isObject(capability) && capability['list'] !== undefined;
}

/** Whether a server tells when a list has changed. */
export function announces(server: ServerFacts, kind: ListKind): boolean {
	const capability = server.capabilities[kind.capability];
	return kind.type !== 'task' && isObject(capability) && capability['listChanged'] === true;
}

/** The method of the notification that says that a list has changed. */
export function changeOf({ capability }: ListKind): string {
	return `notifications/${capability}/list_changed`;
}

/** Whether a notification says that a list has changed. */
export function isChangeOf(kind: ListKind, method: string): boolean {
	return method === changeOf(kind);
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
