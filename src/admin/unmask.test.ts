import { expect, test } from 'vitest';
import { maskSecrets } from './mask.ts';
import { unmask } from './unmask.ts';

const current = {
	config: { session: { key: 'secret-key' }, port: 1 },
	targets: [
		{ name: 'a', stdio: { cmd: 'x', args: ['--token', 'one', '--api-key=two', '-v'], env: { A: 'three', N: 5 } } },
		{ name: 'b', mcp: { host: 'https://u:four@h/?token=five' } },
	],
};

function shown(): typeof current {
	return maskSecrets(current, ['secret-key']) as typeof current;
}

test('what was shown comes back as it was', () => {
	expect(JSON.stringify(shown())).not.toMatch(/secret-key|one|two|three|four|five/);
	expect(unmask(shown(), shown(), current)).toEqual({ value: current });
});

test('entries that moved, arguments that were added', () => {
	const value = shown();
	value.targets.reverse();
	value.targets[1]?.stdio?.args.unshift('--fast');
	const { targets } = (unmask(value, shown(), current) as { value: typeof current }).value;
	expect(targets[0]).toEqual(current.targets[1]);
	expect(targets[1]?.stdio?.args).toEqual(['--fast', '--token', 'one', '--api-key=two', '-v']);
});

test('new values stay', () => {
	const value = shown();
	value.config.session.key = 'another';
	expect(unmask(value, shown(), current)).toMatchObject({ value: { config: { session: { key: 'another' } } } });
});

test('a mask at a new place is no value', () => {
	const value = { ...shown(), other: { token: '<redacted>' } };
	expect(unmask(value, shown(), current)).toEqual({ unknown: ['other.token'] });
	const renamed = shown();
	const [first] = renamed.targets;
	if (first) first.name = 'c';
	expect(unmask(renamed, shown(), current)).toEqual({
		unknown: [
			'targets[0].stdio.args[1]',
			'targets[0].stdio.args[2]',
			'targets[0].stdio.env.A',
			'targets[0].stdio.env.N',
		],
	});
});
