import { describe, expect, test, vi } from 'vitest';
import { Child, type ChildEnd, type Launch } from './child.ts';
import { Processes } from './processes.ts';
import { StderrRing } from './stderr-ring.ts';

interface Heard {
	lines: string[];
	stderr: string[];
	ends: ChildEnd[];
	ended: Promise<ChildEnd>;
}

function listener(): Heard & { events: ConstructorParameters<typeof Child>[1] } {
	let resolve: (end: ChildEnd) => void = () => {};
	const ended = new Promise<ChildEnd>((done) => {
		resolve = done;
	});
	const heard: Heard = { lines: [], stderr: [], ends: [], ended };
	return {
		...heard,
		events: {
			line: (line) => heard.lines.push(line.toString()),
			stderr: (line) => heard.stderr.push(line),
			ended: (end) => {
				heard.ends.push(end);
				resolve(end);
			},
		},
	};
}

function shell(script: string) {
	return { command: '/bin/sh', args: ['-c', script], env: { PATH: process.env['PATH'] ?? '' } };
}

describe('Child', () => {
	test('what it wrote last is delivered before its end', async () => {
		const heard = listener();
		const child = new Child(shell('echo one; printf two; echo three >&2; exit 9'), heard.events, new StderrRing(1000));
		expect(await heard.ended).toMatchObject({ reason: 'it exited with code 9', exitCode: 9, stderr: ['three'] });
		expect(heard.lines).toEqual(['one', 'two']);
		await child.whenGone();
		expect(heard.ends).toHaveLength(1);
	});

	test('a process that keeps the pipes open does not hold up the end', async () => {
		const heard = listener();
		const before = performance.now();
		const child = new Child(shell('trap "" TERM; sleep 600 & exit 0'), heard.events, new StderrRing(1000));
		await heard.ended;
		expect(performance.now() - before).toBeLessThan(1500);
		await child.whenGone();
	});

	test('the end of the rest of the group is noticed soon, even where nobody takes note of orphans', async () => {
		const heard = listener();
		const child = new Child(shell('sleep 600 & exit 0'), heard.events, new StderrRing(1000));
		await heard.ended;
		const before = performance.now();
		await child.whenGone();
		expect(performance.now() - before).toBeLessThan(1000);
	});

	test('one that closes its stdin is ended, because nothing would reach it', async () => {
		const heard = listener();
		const child = new Child(shell('exec 0<&-; echo closed; sleep 600'), heard.events, new StderrRing(1000));
		while (heard.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
		child.write(Buffer.from('hello\n'));
		expect(await heard.ended).toMatchObject({ reason: 'it closed its stdin', signal: 'SIGKILL' });
		await child.whenGone();
	});

	test('one that closes its stdout and lives on is ended, because nobody would be answered', async () => {
		const heard = listener();
		const child = new Child(shell('exec 1>&-; echo mute >&2; exec sleep 600'), heard.events, new StderrRing(1000));
		expect(await heard.ended).toMatchObject({ reason: 'it closed its stdout', signal: 'SIGTERM', stderr: ['mute'] });
		await child.whenGone();
	});

	test('one that closes its stdout and ends by itself tells its own end', async () => {
		const heard = listener();
		const child = new Child(shell('exec 1>&-; sleep 0.2; exit 3'), heard.events, new StderrRing(1000));
		expect(await heard.ended).toMatchObject({ reason: 'it exited with code 3' });
		await child.whenGone();
	});

	test('a flood is read in turns, and wholly', async () => {
		const heard = listener();
		let count = 0;
		let turns = 0;
		let busy = 0;
		let longest = 0;
		const line = () => {
			count++;
			const until = performance.now() + 0.01;
			while (performance.now() < until);
			busy++;
		};
		const tick = () => {
			turns++;
			longest = Math.max(longest, busy);
			busy = 0;
			timer = setImmediate(tick);
		};
		let timer = setImmediate(tick);
		const script = 'i=0; l=$(seq -f "%0100g" 1 600); while [ $i -lt 40 ]; do echo "$l"; i=$((i+1)); done';
		new Child(shell(script), { ...heard.events, line }, new StderrRing(1000));
		await heard.ended;
		clearImmediate(timer);
		expect(count).toBe(24_000);
		// Two pieces of 64 KiB at most, of lines of 101 bytes.
		expect(longest).toBeLessThan(1400);
		expect(turns).toBeGreaterThan(20);
	});

	test('the longest line is what it was started with', async () => {
		const heard = listener();
		new Child(
			{ ...shell('echo 12345678; echo 123456789; sleep 600'), maximumLineBytes: 8 },
			heard.events,
			new StderrRing(1000),
		);
		expect((await heard.ended).reason).toBe('it wrote a line of more than 8 bytes');
		expect(heard.lines).toEqual(['12345678']);
	});

	test('an exception of spawn is an end with a reason, not a fault', async () => {
		const heard = listener();
		const launch: Launch = () => {
			throw Object.assign(new Error('spawn E2BIG'), { code: 'E2BIG' });
		};
		const child = new Child(shell(''), heard.events, new StderrRing(1000), launch);
		child.write(Buffer.from('lost\n'));
		expect((await heard.ended).reason).toMatch(/too long arguments/);
		await child.stop();
	});
});

describe('Processes', () => {
	const command = { command: '/bin/sh', args: ['-c', 'read -r _'], env: {}, clearEnv: false };

	test('close waits for every child, and nothing is started afterwards', async () => {
		const processes = new Processes({ env: process.env, changed: () => {} });
		const first = listener();
		const child = processes.start('one', command, first.events);
		expect(processes.count('one')).toBe(1);
		const closed = processes.close();
		const late = listener();
		expect(processes.start('two', command, late.events).pid).toBeNull();
		expect((await late.ended).reason).toContain('the gateway is stopping');
		await closed;
		await first.ended;
		expect(processes.count()).toBe(0);
		expect(() => process.kill(child.pid ?? 0, 0)).toThrow();
	});

	test('one in reserve is given up for who would be refused, and is handed to nobody then', async () => {
		const limits = { total: 1, perOwner: null };
		const processes = new Processes({ env: process.env, limits, changed: () => {} });
		const [spare, wanted, second, further] = [listener(), listener(), listener(), listener()];
		const child = processes.start('one', command, spare.events, null, 'spare');
		expect(processes.start('two', command, second.events, null, 'spare').pid).toBeNull();
		expect(processes.start('two', command, wanted.events, 'somebody').pid).not.toBeNull();
		expect(processes.claim(child, 'somebody')).toMatchObject({ reason: 'it is being ended' });
		await spare.ended;
		expect(processes.count('one')).toBe(0);
		expect(processes.report('one')).toMatchObject({ ends: 0, state: 'stopped' });
		expect(processes.start('two', command, further.events, 'somebody').pid).toBeNull();
		await processes.close();
	});

	test('a start waits for what ends by itself, in turn, and not for what does not', async () => {
		const processes = new Processes({ env: process.env, changed: () => {} });
		const wish = { label: 'one', owner: null, maximum: 1 };
		const limited = { ...command, maximum: 1 };
		const told: string[] = [];
		const begin = (name: string) => () => {
			told.push(name);
			if (name !== 'second') return;
			expect(processes.count('one')).toBe(0);
			expect(processes.start('one', limited, listener().events).pid).not.toBeNull();
		};
		const look = processes.start('one', limited, listener().events, null, 'look');
		const cancelled = processes.whenRoom(wish, 10_000, begin('first'));
		processes.whenRoom(wish, 10_000, begin('second'));
		processes.whenRoom(wish, 10_000, begin('third'));
		cancelled?.cancel();
		expect(told).toEqual([]);
		await look.stop();
		// The third finds a process that lasts: there is nothing to wait for.
		await vi.waitFor(() => expect(told).toEqual(['second', 'third']));
		processes.whenRoom(wish, 10_000, begin('fourth'));
		expect(told).toEqual(['second', 'third', 'fourth']);
		await processes.close();
	});

	test('a start waits no longer than it may, and not for a gateway that stops', async () => {
		const processes = new Processes({ env: process.env, changed: () => {} });
		const wish = { label: 'one', owner: null, maximum: 1 };
		processes.start('one', { ...command, maximum: 1 }, listener().events, null, 'look');
		await new Promise<void>((resolve) => processes.whenRoom(wish, 20, resolve));
		const stopped = new Promise<void>((resolve) => processes.whenRoom(wish, 60_000, resolve));
		await processes.close();
		await stopped;
	});

	test('close also waits for one that is being stopped already', async () => {
		const processes = new Processes({ env: process.env, changed: () => {} });
		const heard = listener();
		const child = processes.start('one', command, heard.events);
		void child.stop();
		await processes.close();
		expect(() => process.kill(child.pid ?? 0, 0)).toThrow();
	});
});
