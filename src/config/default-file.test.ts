// oxlint-disable no-template-curly-in-string -- the configuration's own variables are written like that
import { expect, test } from 'vitest';
import { defaultConfigPath, defaultConfigText } from './default-file.ts';
import { loadConfig } from './load.ts';

test('/config where it is writable, else the user’s configuration folder', () => {
	expect(defaultConfigPath({}, '/home/user', (directory) => directory === '/config')).toBe('/config/config.yaml');
	expect(defaultConfigPath({}, '/home/user', () => false)).toBe('/home/user/.config/agentgateway/config.yaml');
	expect(defaultConfigPath({ XDG_CONFIG_HOME: '/x' }, '/home/user', () => false)).toBe('/x/agentgateway/config.yaml');
	expect(defaultConfigPath({ XDG_CONFIG_HOME: '' }, '/home/user', () => false)).toBe(
		'/home/user/.config/agentgateway/config.yaml',
	);
});

test('the text loads to exactly the given targets, dollar signs and quotes included', () => {
	const targets = [
		{ name: 'time', cmd: '/opt/a "b" $HOME/node', args: ['/x/${y}/time.js', "it's: #1"] },
		{ name: 'everything', cmd: 'node', args: [] },
	];
	const result = loadConfig(
		{ name: 'config.yaml', text: defaultConfigText(targets) },
		{ env: {}, foreseenFault: () => null },
	);
	expect(result).toMatchObject({ ok: true, config: { warnings: [], binds: [{ port: 3000 }] } });
	const backend = result.ok ? result.config.binds[0]?.listeners[0]?.routes[0]?.backends[0]?.backend : undefined;
	expect(backend?.targets).toMatchObject(targets);
});
