/** Environment variable that marks every process of one gateway run, so that strays can be found. */
export const markerVariable = 'AGENTGATEWAY_OWNER';

/** The gateway's own secrets: a server that it starts has no business with them. */
const secrets: readonly RegExp[] = [
	/^SESSION_KEY$/,
	/^ADMIN_TOKEN$/,
	/^OIDC_COOKIE_SECRET$/,
	/^OTLP_HEADERS$/,
	/^OTEL_EXPORTER_OTLP_([A-Z]+_)?HEADERS$/,
];

/**
 * The environment of a child: the gateway's own without its secrets (nothing of it with `clear`), then what the
 * target sets. npm 11 refuses `npx PACKAGE` without a terminal unless told yes, so it is, unless somebody decided.
 */
export function childEnvironment(
	own: Readonly<Record<string, string | undefined>>,
	set: Readonly<Record<string, string>>,
	clear: boolean,
	marker: string,
): Record<string, string> {
	const env: Record<string, string> = {};
	if (!clear) {
		for (const [name, value] of Object.entries(own)) {
			if (value !== undefined && !secrets.some((secret) => secret.test(name))) env[name] = value;
		}
		const decided = Object.keys({ ...env, ...set }).some((name) => name.toLowerCase() === 'npm_config_yes');
		if (!decided) env['npm_config_yes'] = 'true';
	}
	return { ...env, ...set, [markerVariable]: marker };
}
