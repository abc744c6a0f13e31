import { isDeepStrictEqual } from 'node:util';
import type { ServerFacts } from './model.ts';
import type { Naming } from './names.ts';
import type { Leg } from './legs/leg.ts';
import type { Upstreams } from './legs/upstreams.ts';

/** What a backend says of itself when a client opens a session or discovers it. Texts are JSON. */
export interface Greeting {
	readonly serverInfo: Buffer;
	readonly capabilities: Buffer;
	readonly instructions: string | null;
}

/**
 * Merges what the targets said of themselves. A single target speaks for itself; several speak through the gateway,
 * with the union of what they can. A target that is away is assumed to offer lists, since it may join later and
 * capabilities cannot be added to an open session.
 */
export function greet(upstreams: Upstreams, naming: Naming, version: string): Greeting {
	const { handshake } = upstreams.caller;
	const only = upstreams.legs.length === 1 && !naming.wrapped ? upstreams.legs[0] : undefined;
	if (only?.server) {
		return {
			serverInfo: only.server.serverInfoText,
			capabilities: textOf(only.server, handshake),
			instructions: only.server.instructions,
		};
	}
	return {
		serverInfo: Buffer.from(JSON.stringify({ name: 'agentgateway', version })),
		capabilities: Buffer.from(JSON.stringify(mergeCapabilities(upstreams.legs, handshake))),
		instructions: mergeInstructions(upstreams.legs, naming),
	};
}

/** Tasks have another form in each era and are not translated: who speaks the other one is not told of them. */
function shownCapabilities(server: ServerFacts, handshake: boolean): Readonly<Record<string, unknown>> {
	if (server.handshake === handshake) return server.capabilities;
	const { tasks: _, extensions, ...others } = server.capabilities;
	const rest: Record<string, unknown> = others;
	if (isObject(extensions)) {
		rest['extensions'] = Object.fromEntries(Object.entries(extensions).filter(([key]) => key !== tasksExtension));
	}
	return rest;
}

function textOf(server: ServerFacts, handshake: boolean): Buffer {
	const shown = shownCapabilities(server, handshake);
	return shown === server.capabilities ? server.capabilitiesText : Buffer.from(JSON.stringify(shown));
}

const tasksExtension = 'io.modelcontextprotocol/tasks';

type Capabilities = Record<string, Record<string, unknown>>;

function mergeCapabilities(legs: readonly Leg[], handshake: boolean): Capabilities {
	const merged: Capabilities = {};
	for (const leg of legs) {
		if (leg.server === null) {
			for (const list of ['tools', 'prompts', 'resources']) merged[list] ??= { listChanged: true };
			continue;
		}
		const own = shownCapabilities(leg.server, handshake);
		// The roster can change although no server changes its own lists, hence listChanged for all three.
		for (const list of ['tools', 'prompts', 'resources']) if (list in own) merged[list] ??= { listChanged: true };
		if (isObject(own['resources']) && own['resources']['subscribe'] === true) {
			merged['resources'] = { ...merged['resources'], subscribe: true };
		}
		for (const plain of ['logging', 'completions']) if (plain in own) merged[plain] ??= {};
		// A task's id says whose it is, so what one server can do with tasks can be asked of all of them.
		if (isObject(own['tasks'])) merged['tasks'] = union(merged['tasks'] ?? {}, own['tasks']);
		for (const named of ['extensions', 'experimental']) {
			if (isObject(own[named])) merged[named] = agreed(merged[named] ?? {}, own[named]);
		}
	}
	return merged;
}

/** Members of both, and so on within them. */
function union(one: Record<string, unknown>, other: Record<string, unknown>): Record<string, unknown> {
	const both = { ...one };
	for (const [key, value] of Object.entries(other)) {
		const before = both[key];
		both[key] = isObject(before) && isObject(value) ? union(before, value) : (before ?? value);
	}
	return both;
}

/** What either side names; settings that the sides do not share are left out, since only one could be right. */
function agreed(one: Record<string, unknown>, other: Record<string, unknown>): Record<string, unknown> {
	const both = { ...one };
	for (const [key, value] of Object.entries(other)) {
		both[key] = !Object.hasOwn(one, key) || isDeepStrictEqual(one[key], value) ? value : {};
	}
	return both;
}

function mergeInstructions(legs: readonly Leg[], naming: Naming): string | null {
	const parts: string[] = [];
	for (const leg of legs) {
		if (leg.server?.instructions) parts.push(`[${leg.target.name}]\n${leg.server.instructions}`);
		if (leg.state !== 'ready') parts.push(`[${leg.target.name}]\nThis server is not available right now.`);
	}
	if (parts.length === 0) return null;
	const lead = naming.prefixed
		? 'This endpoint joins several MCP servers. Names of tools and prompts begin with their server, as in server_tool.'
		: 'This endpoint joins several MCP servers.';
	return [lead, ...parts].join('\n\n');
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
