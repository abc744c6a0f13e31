/** Environment variable that marks every process of one gateway run, so that strays can be found. */
export const markerVariable = 'AGENTGATEWAY_OWNER';

/** The gateway's own secrets by name: a server that it starts has no business with them. */
const secretNames: readonly RegExp[] = [
	/^SESSION_KEY$/i,
	/^ADMIN_TOKEN$/i,
	/^OIDC_COOKIE_SECRET$/i,
	/^OTLP_HEADERS$/i,
	/^OTEL_EXPORTER_OTLP_([A-Z]+_)?(HEADERS|CLIENT_KEY)$/i,
];

/**
 * What children inherit of the gateway's environment: all but its secrets. `secrets` are their values, which a
 * configuration may have read from variables with whatever name.
 */
export function inheritedEnvironment(
	own: Readonly<Record<string, string | undefined>>,
	secrets: readonly string[],
): Record<string, string> {
	const env: Record<string, string> = {};
	for (const [name, value] of Object.entries(own)) {
		if (value === undefined || secretNames.some((secret) => secret.test(name))) continue;
		if (!secrets.some((secret) => secret !== '' && value.includes(secret))) env[name] = value;
	}
	return env;
}

/**
 * The environment of a child: what it inherits (nothing with `clear`), then what the target sets. npm 11 refuses
 * `npx PACKAGE` without a terminal unless told yes, so it is, unless somebody decided.
 */
export function childEnvironment(
	inherited: Readonly<Record<string, string>>,
	set: Readonly<Record<string, string>>,
	clear: boolean,
	marker: string,
): Record<string, string> {
	const env: Record<string, string> = {};
	if (!clear) {
		Object.assign(env, inherited);
		const decided = Object.keys({ ...env, ...set }).some((name) => name.toLowerCase() === 'npm_config_yes');
		if (!decided) env['npm_config_yes'] = 'true';
	}
	return { ...env, ...set, [markerVariable]: marker };
}
