/** Keys and indexes from the top of a document down to a value. */
export type Path = readonly (string | number)[];

/** Writes a path the way messages show it: `binds[0].listeners[0]`, `gateways["a.b"].port`; empty for the top. */
export function formatPath(path: Path): string {
	let text = '';
	for (const step of path) {
		if (typeof step === 'number') {
			text += `[${step}]`;
		} else if (/^[\w-]+$/.test(step)) {
			text += text === '' ? step : `.${step}`;
		} else {
			text += `[${JSON.stringify(step)}]`;
		}
	}
	return text;
}

/** Whether a value at this path may be a secret, so that messages neither repeat it nor quote its line. */
export function isSecretPath(path: string): boolean {
	return /(?:^|[.[])(?:key|token|secret|password|env)(?:$|[.[\]"])/i.test(path) || /_(?:TOKEN|KEY)$/.test(path);
}
