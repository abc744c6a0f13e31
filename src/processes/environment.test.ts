import { describe, expect, test } from 'vitest';
import { childEnvironment, inheritedEnvironment, markerVariable } from './environment.ts';

describe('childEnvironment', () => {
	test('is the own one with what is set, the mark, and yes for npx', () => {
		expect(childEnvironment({ A: '1', B: '2' }, { B: '3' }, false, 'm')).toEqual({
			A: '1',
			B: '3',
			npm_config_yes: 'true',
			[markerVariable]: 'm',
		});
	});

	test.each([
		[{ npm_config_yes: 'false' }, {}],
		[{ NPM_CONFIG_YES: 'false' }, {}],
		[{}, { Npm_Config_Yes: 'false' }],
	])('%j and %j have decided about npx', (own, set) => {
		const env = childEnvironment(own, set, false, 'm');
		expect(Object.entries(env).filter(([name]) => name.toLowerCase() === 'npm_config_yes')).toEqual(
			Object.entries({ ...own, ...set }),
		);
	});

	test('with clear, only what is set and the mark', () => {
		expect(childEnvironment({ A: '1' }, { B: '2' }, true, 'm')).toEqual({ B: '2', [markerVariable]: 'm' });
	});

	test('what the target sets is its own, even under the name of a secret', () => {
		expect(childEnvironment({}, { ADMIN_TOKEN: 'own' }, false, 'm')).toHaveProperty('ADMIN_TOKEN', 'own');
	});

	test('nobody can take the mark away', () => {
		expect(childEnvironment({}, { [markerVariable]: 'x' }, false, 'm')).toHaveProperty(markerVariable, 'm');
	});
});

describe('inheritedEnvironment', () => {
	test.each([
		'SESSION_KEY',
		'session_key',
		'ADMIN_TOKEN',
		'OIDC_COOKIE_SECRET',
		'OTLP_HEADERS',
		'OTEL_EXPORTER_OTLP_HEADERS',
		'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
	])('%s stays with the gateway', (name) => {
		expect(inheritedEnvironment({ [name]: 'secret', PATH: '/bin', GONE: undefined }, [])).toEqual({ PATH: '/bin' });
	});

	test('so does what holds the value of a secret, whatever its name', () => {
		const own = { MY_KEY: 'k3y', HEADER: 'Bearer k3y', OTHER: 'key', EMPTY: '' };
		expect(inheritedEnvironment(own, ['k3y', ''])).toEqual({ OTHER: 'key', EMPTY: '' });
	});
});
