import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { fixtureTarget } from '../processes/children.ts';
import { LegacyClient } from '../support/rpc-client.ts';
import { type EditedGateway, editGateway, fileOf, routeTo } from './edited-gateway.ts';
import { stateOf } from '../support/state.ts';

const token = 'a-token-of-the-admin';
let gateway: EditedGateway | null = null;

afterEach(async () => {
	const log = gateway?.log() ?? '';
	await gateway?.end();
	gateway = null;
	expect(log).not.toContain('internal error');
});

interface Document {
	binds: { port: number; listeners: { routes: { backends: { mcp: { targets: Target[] } }[] }[] }[] }[];
}

interface Target {
	name: string;
	mcp?: { host: string };
	stdio?: { cmd: string; args?: string[]; env?: Record<string, string> };
	tools?: { exclude: string[] };
}

const secret = `${fixtureTarget('kept')}\n    env: { API_KEY: canary-secret } # do not lose it`;
const start = `# The first line.\n${fileOf([routeTo('/a', [secret, fixtureTarget('other')])])}`;

async function run(yaml = start): Promise<EditedGateway> {
	gateway = await editGateway(yaml, { env: { ADMIN_TOKEN: token } });
	return gateway;
}

async function get(one: EditedGateway): Promise<{ document: Document; tag: string; text: string }> {
	const response = await fetch(`${one.adminUrl}/api/config`);
	const text = await response.text();
	return { document: JSON.parse(text) as Document, tag: response.headers.get('etag') ?? '', text };
}

async function write(
	one: EditedGateway,
	body: unknown,
	headers: Record<string, string> = {},
	method: 'PUT' | 'POST' = 'PUT',
) {
	const response = await fetch(`${one.adminUrl}/api/config`, {
		method,
		headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body),
	});
	const reply = (await response.json()) as {
		error?: string;
		message?: string;
		problems?: { line: number; path: string; message: string }[];
	};
	return { status: response.status, reply, tag: response.headers.get('etag') };
}

function targetsOf({ binds }: Document): Target[] {
	return binds[0]?.listeners[0]?.routes[0]?.backends[0]?.mcp.targets ?? [];
}

test('a document that is written comes into effect at once, and leaves comments, secrets and mode alone', async () => {
	const one = await run();
	const { document, tag, text } = await get(one);
	expect(text).not.toContain('canary');
	const client = await LegacyClient.open(`${one.url()}/a`);
	const pid = await client.tool('kept_pid');
	for (const target of targetsOf(document)) if (target.name === 'kept') target.tools = { exclude: ['env'] };
	const mode = statSync(one.file).mode;
	const began = performance.now();
	const written = await write(one, document, { 'if-match': tag });
	expect(performance.now() - began).toBeLessThan(2000);
	expect(written).toMatchObject({ status: 200, reply: { status: 'success', applied: true } });
	const now = readFileSync(one.file, 'utf8');
	expect(now).toContain('# The first line.\n');
	expect(now).toContain('API_KEY: canary-secret } # do not lose it');
	expect(statSync(one.file).mode).toBe(mode);
	expect(readdirSync(one.folder)).toEqual(['config.yaml']);
	expect(await client.toolNames()).not.toContain('kept_env');
	expect(await client.tool('kept_pid')).toBe(pid);
	expect((await get(one)).tag).toBe(written.tag);
	// What it wrote itself is no news.
	const { since } = await one.config();
	await new Promise((resolve) => setTimeout(resolve, 1000));
	expect((await one.config()).since).toBe(since);
});

test('errors come back all at once, with their lines, and nothing is written', async () => {
	const one = await run();
	const { document } = await get(one);
	const [first] = document.binds;
	if (first) first.port = 99_999;
	const invalid = await write(one, { ...document, bindz: [] }, {}, 'POST');
	expect(invalid.status).toBe(422);
	expect(invalid.reply.problems).toHaveLength(2);
	expect(invalid.reply.problems?.every(({ line }) => line > 0)).toBe(true);
	expect(readFileSync(one.file, 'utf8')).toBe(start);
	expect((await write(one, [1])).status).toBe(400);
	expect((await write(one, 'binds: [')).status).toBe(422);
	const unknown = await write(one, { ...document, config: { session: { key: '<redacted>' } } });
	expect(unknown).toMatchObject({ status: 422 });
	expect(unknown.reply.error).toContain('config.session.key');
	expect(await one.config()).toMatchObject({ synchronized: true });
});

test('a document that was read before somebody else wrote is refused', async () => {
	const one = await run();
	const { document, tag } = await get(one);
	await one.edit(`${start}# changed\n`);
	const stale = await write(one, document, { 'if-match': tag });
	expect(stale.status).toBe(412);
	expect(stale.tag).toBe((await get(one)).tag);
	expect(stale.tag).not.toBe(tag);
	expect((await write(one, document, { 'if-match': 'W/"x"' })).status).toBe(400);
	expect((await write(one, document)).status).toBe(200);
	expect(readFileSync(one.file, 'utf8')).toContain('# changed');
});

test('a masked secret is the one that stands in the file when it is written', async () => {
	const one = await run();
	const { document, tag } = await get(one);
	const bearer = { authorization: `Bearer ${token}` };
	// Nobody has read it again yet.
	writeFileSync(one.file, start.replace('canary-secret', 'rotated-secret'));
	expect((await write(one, document, bearer)).status).toBe(200);
	expect(readFileSync(one.file, 'utf8')).toContain('API_KEY: rotated-secret }');
	const rotating = structuredClone(document);
	for (const { stdio } of targetsOf(rotating)) if (stdio?.env !== undefined) stdio.env['API_KEY'] = 'third-secret';
	const both = await Promise.all([write(one, rotating, bearer), write(one, document, bearer)]);
	expect(both.map(({ status }) => status)).toEqual([200, 200]);
	expect(readFileSync(one.file, 'utf8')).toContain('API_KEY: third-secret }');
	// Where the target has another name by now, that the document is stale says more than that its secret is not found.
	await one.edit(start.replace('name: kept', 'name: renamed'));
	expect((await write(one, document, { 'if-match': tag })).status).toBe(412);
	expect((await write(one, document)).reply.error).toContain('API_KEY');
});

test('a new command needs the admin token, and comes with it', async () => {
	const one = await run();
	const { document } = await get(one);
	targetsOf(document).push({ name: 'more', stdio: { cmd: process.execPath, args: ['-e', '0'] } });
	const refused = await write(one, document);
	expect(refused.status).toBe(403);
	expect(refused.reply.error).toContain('new');
	expect(readFileSync(one.file, 'utf8')).toBe(start);
	const cookie = (await fetch(`${one.adminUrl}/ui/`)).headers.get('set-cookie')?.split(';')[0] ?? '';
	expect((await write(one, document, { cookie, origin: one.adminUrl })).status).toBe(403);
	expect((await write(one, document, { authorization: `Bearer ${token}` })).status).toBe(200);
	const [target] = (await stateOf(one)).binds[0]?.listeners[0]?.routes[0]?.backends[0]?.targets.slice(-1) ?? [];
	expect(target?.name).toBe('more');
});

test('who has not shown the admin token cannot have variables and secrets told to him', async () => {
	const key = 'literal-canary-of-the-file';
	const target = (host: string) => `- name: far\n  mcp: { host: "${host}", port: 1, path: "/x?api_key=${key}" }`;
	const with2 = fileOf([routeTo('/a', [secret, target('127.0.0.1')])]);
	const yaml = `# $AGENTGATEWAY_HINT\n${with2}`.replaceAll('API_KEY: canary-secret', 'API_KEY: $HIDDEN');
	gateway = await editGateway(yaml, {
		env: { ADMIN_TOKEN: token, HIDDEN: 'variable-canary', AGENTGATEWAY_HINT: 'x' },
	});
	const one = gateway;
	const { document } = await get(one);
	const evil: unknown[] = [
		...['$ADMIN_TOKEN', '${ADMIN_TOKEN}', '${HIDDEN:-x}', '$HIDDEN'].map((port) => ({
			...document,
			binds: [{ ...document.binds[0], port }],
		})),
		{ ...document, $ADMIN_TOKEN: 1 },
		{ ...document, '${ADMIN_TOKEN:-': '}' },
		'binds: $ADMIN_TOKEN\n',
		'binds: !$ADMIN_TOKEN [1]\n',
		'"${ADMIN_TOKEN:-": "}"\n',
		'binds: ${ADMIN_TOKEN:-\nx: }\n',
		yaml.replace('- name: far', 'more: |\n            API_KEY: $HIDDEN } # do not lose it\n          - name: far'),
		`${yaml}# $ADMIN_TOKEN\n`,
	];
	for (const [host, path] of [
		['http://127.0.0.1:1/$HIDDEN', undefined],
		['localhost', undefined],
		['127.0.0.1', '/$HIDDEN'],
	]) {
		const copy = structuredClone(document);
		for (const { name, mcp } of targetsOf(copy))
			if (name === 'far' && mcp) Object.assign(mcp, { host, ...(path && { path }) });
		evil.push(copy);
	}
	for (const body of evil) {
		const { status, reply } = await write(one, body);
		expect(status, JSON.stringify(body)).toBe(403);
		expect(JSON.stringify(reply)).not.toMatch(/canary|a-token-of/);
	}
	expect(readFileSync(one.file, 'utf8')).toBe(yaml);
	// What stays where it was is nobody's secret to tell.
	const copy = structuredClone(document);
	targetsOf(copy).reverse();
	for (const { mcp } of targetsOf(copy)) if (mcp) Object.assign(mcp, { callTimeout: '5s' });
	expect(await write(one, copy)).toMatchObject({ status: 200 });
	expect((await write(one, `${readFileSync(one.file, 'utf8')}# end\n`)).status).toBe(200);
	const moved = { ...document, binds: [{ ...document.binds[0], port: '$HIDDEN' }] };
	expect((await write(one, moved, { authorization: `Bearer ${token}` })).status).toBe(422);
});

test('a text replaces the file as it is', async () => {
	const one = await run();
	const text = start.replace('# The first line.', '#   Another   first line.').replace('/a', '/b');
	expect((await write(one, text)).status).toBe(200);
	expect(readFileSync(one.file, 'utf8')).toBe(text);
	const client = await LegacyClient.open(`${one.url()}/b`);
	expect(await client.tool('kept_echo', '{"text":"x"}')).toBe('x');
});

test('what cannot come into effect is taken back', async () => {
	const one = await run();
	const port = Number(new URL(one.adminUrl).port);
	const text = `${start}- port: ${port}\n  listeners: []\n`;
	const refused = await write(one, text);
	expect(refused.status).toBe(409);
	expect(refused.reply.problems).toMatchObject([{ line: text.split('\n').length - 2, path: 'binds[1].port' }]);
	expect(readFileSync(one.file, 'utf8')).toBe(start);
	expect(await one.config()).toMatchObject({ synchronized: true, errors: [] });
});

test('a symbolic link stays one', async () => {
	const one = await run();
	const real = join(one.folder, 'real');
	mkdirSync(real);
	renameSync(one.file, join(real, 'agentgateway.yaml'));
	symlinkSync('real/agentgateway.yaml', one.file);
	expect((await write(one, `${start}# end\n`)).status).toBe(200);
	expect(readFileSync(join(real, 'agentgateway.yaml'), 'utf8')).toBe(`${start}# end\n`);
	expect(readdirSync(one.folder).sort()).toEqual(['config.yaml', 'real']);
});

test('pages of other sites, and bodies that are no JSON, change nothing', async () => {
	const one = await run();
	expect((await write(one, start, { origin: 'https://evil.example' })).status).toBe(403);
	expect((await write(one, start, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
	expect((await write(one, start, { 'content-type': 'text/plain' })).status).toBe(415);
	expect((await write(one, 'x'.repeat(300_000))).status).toBe(413);
	expect(readFileSync(one.file, 'utf8')).toBe(start);
});

test('killed while it writes, it leaves the old file or the new one', async () => {
	const texts = [0, 1].map((n) => `${start}${`# ${n} padding\n`.repeat(10_000)}`);
	const one = await run();
	for (let round = 0; round < 3; round++) {
		const other = round === 0 ? one : await editGateway(start, { env: { ADMIN_TOKEN: token } });
		const writing = (async () => {
			for (let at = 0; ; at++) await write(other, texts[at % 2]);
		})().catch(() => {});
		await new Promise((resolve) => setTimeout(resolve, 200 + 300 * Math.random()));
		other.process.kill('SIGKILL');
		await writing;
		await other.exited;
		expect(existsSync(other.file)).toBe(true);
		expect([start, ...texts]).toContain(readFileSync(other.file, 'utf8'));
		if (other !== one) await other.end();
	}
	// What is left of a write that was cut short has a name that nobody reads.
	writeFileSync(one.file, start);
});

test('a port that goes and comes back at once is opened again, however many connect to it', async () => {
	const port = await freePort();
	const routes = [routeTo('/a', [fixtureTarget('kept')])];
	const one = await run(`${fileOf(routes)}${fileOf(routes, '', port).replace(/^\s*binds:\n/, '')}`);
	const { document } = await get(one);
	const without = { ...document, binds: document.binds.slice(0, 1) };
	let busy = true;
	const connect = () => {
		const socket = createConnection(port, '127.0.0.1');
		socket.on('error', () => {});
		socket.on('close', () => busy && setTimeout(connect));
		socket.on('connect', () => socket.destroy());
	};
	for (let n = 0; n < 20; n++) connect();
	for (let round = 0; round < 5; round++) {
		expect(await write(one, without)).toMatchObject({ status: 200 });
		expect(await write(one, document)).toMatchObject({ status: 200 });
	}
	busy = false;
	expect((await LegacyClient.open(`http://127.0.0.1:${port}/a`)).session).not.toBe('');
});

/** A port that nobody uses at the moment. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0);
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}
