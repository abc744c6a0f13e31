import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { ask, startAdmin, token } from './harness.ts';
import type { AdminUnderTest } from './harness.ts';

const open: AdminUnderTest[] = [];

async function start(...args: Parameters<typeof startAdmin>): Promise<AdminUnderTest> {
	const admin = await startAdmin(...args);
	open.push(admin);
	return admin;
}

afterEach(async () => {
	for (const admin of open.splice(0)) await admin.close();
});

const json = { 'content-type': 'application/json' };

test('secrets stay inside, in the dump and in the document', async () => {
	const config = {
		binds: [{ targets: [{ name: 'a', stdio: { cmd: 'x', args: ['--token', 'canary-1'], env: { K: 'canary-2' } } }] }],
		config: { session: { key: 'canary-3-session-key' }, url: 'http://u:canary-4@h', adminToken: token },
		text: `use ${token}`,
	};
	const { port } = await start({
		configDump: () => config,
		configDocument: () => config,
		secrets: ['canary-3-session-key'],
	});
	for (const path of ['/config_dump', '/config', '/api/config']) {
		const answer = await ask(port, path);
		expect(answer.status).toBe(200);
		expect(answer.headers['content-type']).toBe('application/json');
		expect(answer.text).not.toContain('canary');
		expect(JSON.parse(answer.text).binds[0].targets[0].name).toBe('a');
	}
});

test('a document that is none as it is written is not shown as null', async () => {
	const { port } = await start({ configDocument: () => null });
	for (const path of ['/config', '/api/config']) {
		const answer = await ask(port, path);
		expect(answer.status).toBe(409);
		expect(answer.headers.etag).toBe('"tag"');
		expect(JSON.parse(answer.text)).toMatchObject({ remedy: 'Quote the variables in the file: "${NAME}".' });
	}
});

test('the runtime in the shape that agentgateway gives it', async () => {
	const { port } = await start();
	expect(JSON.parse((await ask(port, '/api/runtime')).text)).toMatchObject({
		build: { version: '9.9.9' },
		ui: { gatewayMode: 'standalone', configStoreMode: 'file' },
	});
});

test.each(['/config', '/api/config'])('without a file, a write to %s is refused with the way out', async (path) => {
	const { port } = await start();
	const answer = await ask(port, path, { method: 'POST', headers: json, body: '{}' });
	expect(answer.status).toBe(409);
	expect(JSON.parse(answer.text)).toEqual({
		error: 'The configuration does not stand in a file that can be written.',
		remedy: 'Start the gateway with -f and the path of a file.',
		detail: '',
	});
});

test.each(['/api/nothing', '/api', '/config_dump/x', '/quitquitquit', '/debug/pprof/heap', '/API/state'])(
	'%s is unknown',
	async (path) => {
		const { port } = await start();
		const answer = await ask(port, path);
		expect(answer.status).toBe(404);
		expect(JSON.parse(answer.text).error).toContain(path);
	},
);

test('a known address with another method', async () => {
	const { port } = await start();
	const answer = await ask(port, '/api/config', { method: 'DELETE' });
	expect(answer.status).toBe(405);
	expect(answer.headers.allow).toBe('GET, POST, PUT');
	expect((await ask(port, '/ui/', { method: 'DELETE' })).status).toBe(405);
});

test('the log level is read and set', async () => {
	let level = 'info';
	const { port } = await start({
		logLevel: () => level,
		setLogLevel: (wanted) => {
			if (wanted !== 'debug') return false;
			level = wanted;
			return true;
		},
	});
	expect((await ask(port, '/logging')).text).toBe('current log level is info\n');
	const post = { method: 'POST', headers: json };
	expect((await ask(port, '/logging?level=debug', post)).text).toBe('current log level is debug\n');
	expect((await ask(port, '/logging?level=loud', post)).status).toBe(400);
	expect(level).toBe('debug');
});

test('without a way to set it, the log level says so', async () => {
	const { port } = await start();
	expect((await ask(port, '/logging?level=debug', { method: 'POST', headers: json })).status).toBe(501);
});

interface Stream {
	incoming: IncomingMessage;
	text(): string;
	/** Waits until the text contains something. */
	sees(part: string): Promise<void>;
}

function listenTo(port: number): Promise<Stream> {
	return new Promise((resolve, reject) => {
		const outgoing = get({ host: '127.0.0.1', port, path: '/api/events', agent: false }, (incoming) => {
			let text = '';
			let wake = () => {};
			incoming.on('data', (chunk: Buffer) => {
				text += chunk.toString('utf8');
				wake();
			});
			incoming.on('error', () => {});
			const sees = async (part: string) => {
				while (!text.includes(part)) await new Promise<void>((again) => (wake = again));
			};
			resolve({ incoming, text: () => text, sees });
		});
		outgoing.on('error', reject);
	});
}

test('the event stream begins with the state and follows it', async () => {
	const admin = await start();
	const stream = await listenTo(admin.port);
	expect(stream.incoming.headers['content-type']).toBe('text/event-stream');
	await stream.sees('id: 1\nevent: state\ndata: ');
	admin.changed();
	await stream.sees('id: 2\n');
	const last = stream.text().trim().split('data: ').at(-1);
	expect(JSON.parse(last ?? '')).toEqual(admin.state);
	stream.incoming.destroy();
});

test('a storm of changes becomes few events, the last of them the truth', async () => {
	const admin = await start();
	const stream = await listenTo(admin.port);
	await stream.sees('id: 1\n');
	const started = performance.now();
	while (performance.now() - started < 450) {
		admin.changed();
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	await stream.sees(`id: ${admin.state.revision}\n`);
	const events = stream.text().match(/event: state/g)?.length ?? 0;
	expect(events).toBeGreaterThan(2);
	expect(events).toBeLessThanOrEqual(2 + Math.floor((performance.now() - started) / 99));
	stream.incoming.destroy();
});

test('when the last reader has gone, nothing listens to the state', async () => {
	const admin = await start();
	const one = await listenTo(admin.port);
	const two = await listenTo(admin.port);
	expect(admin.listeners()).toBe(1);
	one.incoming.destroy();
	two.incoming.destroy();
	await expect.poll(() => admin.listeners()).toBe(0);
});

test('closing ends the streams', async () => {
	const admin = await start();
	const stream = await listenTo(admin.port);
	const ended = new Promise((resolve) => stream.incoming.on('end', resolve));
	admin.admin.close();
	await ended;
	expect(admin.listeners()).toBe(0);
});

/** Announces changes until a state has stayed with the gateway for a while, as the sockets take no more. */
async function fill(admin: AdminUnderTest): Promise<void> {
	for (let quiet = 0; quiet < 3; quiet++) {
		if (admin.streams[0]?.buffered === 0) quiet = -1;
		admin.changed();
		await new Promise((resolve) => setTimeout(resolve, 120));
	}
}

test('a slow reader costs one state at most, and sees the newest when it reads again', async () => {
	const admin = await start();
	const size = 4_000_000;
	admin.state.warnings = ['x'.repeat(size)];
	const stream = await listenTo(admin.port);
	await stream.sees('id: 1\n');
	stream.incoming.pause();
	await fill(admin);
	const full = admin.state.revision;
	for (let count = 0; count < 10; count++) {
		admin.changed();
		await new Promise((resolve) => setTimeout(resolve, 110));
	}
	expect(admin.streams[0]?.buffered).toBeLessThan(1.5 * size);
	stream.incoming.resume();
	await stream.sees(`id: ${admin.state.revision}\n`);
	const seen = [...stream.text().matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
	expect(seen.filter((id) => id > full)).toEqual([admin.state.revision]);
	stream.incoming.destroy();
}, 60_000);

test('a reader that takes nothing is dropped; one that reads is kept with comments', async () => {
	const admin = await start({ eventsKeepAliveMs: 60 });
	admin.state.warnings = ['x'.repeat(8_000_000)];
	const stuck = await listenTo(admin.port);
	stuck.incoming.pause();
	const dropped = () => {
		// The sockets take some of them before one stays with the gateway.
		admin.changed();
		return admin.listeners();
	};
	await expect.poll(dropped, { timeout: 20_000 }).toBe(0);
	admin.state.warnings = [];
	const reading = await listenTo(admin.port);
	await reading.sees(': keep-alive\n\n: keep-alive\n\n: keep-alive\n\n');
	expect(admin.listeners()).toBe(1);
	stuck.incoming.destroy();
	reading.incoming.destroy();
}, 60_000);

test('the number of streams has a limit', async () => {
	const admin = await start();
	const streams = await Promise.all(Array.from({ length: 64 }, () => listenTo(admin.port)));
	const answer = await ask(admin.port, '/api/events');
	expect(answer.status).toBe(503);
	for (const stream of streams) stream.incoming.destroy();
});
