const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** Whether a target name is allowed: lowercase letters, digits and `-` in dot-separated parts, at most 253 characters. */
export function isTargetName(name: string): boolean {
	return name.length <= 253 && NAME.test(name);
}

/** The message for a name that is not allowed, with the nearest allowed one. */
export function targetNameFault(name: string): string {
	const near = name
		.toLowerCase()
		.replace(/[^a-z0-9.-]+/g, '-')
		.split('.')
		.map((part) => part.replace(/^-+|-+$/g, ''))
		.filter((part) => part !== '')
		.join('.')
		.slice(0, 253);
	const rule = 'use lowercase letters, digits, "-" and "." (at most 253)';
	return `invalid MCP target name "${name.slice(0, 64)}"; ${isTargetName(near) ? `write "${near.slice(0, 64)}"; ` : ''}${rule}`;
}
