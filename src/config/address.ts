import { isIP } from 'node:net';
import type { Address } from './ir.ts';

/**
 * Reads where to listen: `127.0.0.1:15000`, `[::]:15020`, `localhost:15000`, `unix:/run/admin.sock`, or `off` (null).
 * Returns undefined for anything else; port 0 asks for a free port.
 */
export function parseAddress(text: string): Address | null | undefined {
	if (text === 'off') {
		return null;
	}
	if (text.startsWith('unix:')) {
		const path = text.slice('unix:'.length);
		return path === '' ? undefined : { kind: 'unix', path };
	}
	const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
	const port = Number(parts?.[3]);
	if (parts === null || port > 65_535) {
		return undefined;
	}
	const [, v6, name] = parts;
	const good = v6 === undefined ? name === 'localhost' || isIP(name ?? '') === 4 : isIP(v6) === 6;
	return good ? { kind: 'tcp', host: v6 ?? name ?? '', port } : undefined;
}
