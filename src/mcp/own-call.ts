import { isScanFault, scanJson } from '../lib/json-scan.ts';
import { version } from '../version.ts';
import type { Call, Caller } from './model.ts';

/** A call that the gateway makes for itself, on behalf of `caller`. */
export function ownCall(method: string, params: Readonly<Record<string, unknown>>, caller: Caller): Call {
	const scanned = scanJson(Buffer.from(JSON.stringify(params)), {});
	if (isScanFault(scanned)) throw new Error('params did not survive JSON');
	return {
		method,
		params: scanned,
		edits: [],
		meta: [],
		name: null,
		inputs: null,
		mirrored: null,
		wantsProgress: false,
		caller,
		origin: 'gateway',
	};
}

/** Whether the gateway is its own client. */
export function isGateway({ principal }: Caller): boolean {
	return principal === gatewayCaller.principal;
}

/** The gateway as its own client, as when it looks at a server that nobody has called yet. */
export const gatewayCaller: Caller = {
	principal: 'gateway',
	clientInfo: Buffer.from(JSON.stringify({ name: 'agentgateway', version })),
	capabilities: Buffer.from('{}'),
	logLevel: null,
	handshake: false,
	interactive: false,
};
