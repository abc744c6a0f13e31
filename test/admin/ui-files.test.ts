import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, startAdmin } from './harness.ts';
import type { AdminUnderTest } from './harness.ts';

let folder: string;
let admin: AdminUnderTest;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'admin-ui-'));
	const root = join(folder, 'ui');
	await mkdir(join(root, 'assets'), { recursive: true });
	await writeFile(join(folder, 'secret.txt'), 'canary');
	await symlink(join(folder, 'secret.txt'), join(root, 'link.txt'));
	await writeFile(join(root, 'index.html'), '<style nonce="__CSP_NONCE__"></style><meta nonce="__CSP_NONCE__">');
	await writeFile(join(root, 'favicon.svg'), '<svg/>');
	await writeFile(join(root, 'assets', 'index-B1a2C3d4.js'), 'let a;');
	await writeFile(join(root, 'assets', 'index-B1a2C3d4.css'), 'a{}');
	admin = await startAdmin({ uiRoot: root });
});

afterAll(async () => {
	await admin.close();
	await rm(folder, { recursive: true });
});

test.each(['/', '/ui'])('%s leads to the UI', async (path) => {
	const answer = await ask(admin.port, path);
	expect(answer.status).toBe(308);
	expect(answer.headers.location).toBe('/ui/');
});

test.each(['/ui/', '/ui/index.html', '/ui/backends/', '/ui/playground?route=default%2Froute0', '/ui/a/b/c'])(
	'%s is the page, with a policy and a cookie of its own',
	async (path) => {
		const answer = await ask(admin.port, path, { headers: { host: `localhost:${admin.port}` } });
		expect(answer.status).toBe(200);
		expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
		const policy = answer.headers['content-security-policy'] ?? '';
		const nonce = /'nonce-([\w+/=]{20,})'/.exec(String(policy))?.[1] ?? 'none';
		expect(answer.text).toBe(`<style nonce="${nonce}"></style><meta nonce="${nonce}">`);
		expect(policy).toContain("frame-ancestors 'none'");
		expect(policy).toContain("script-src 'self';");
		expect(policy).not.toContain('unsafe');
		expect(answer.headers['cache-control']).toBe('no-store');
		expect(answer.headers['x-content-type-options']).toBe('nosniff');
		expect(answer.headers['referrer-policy']).toBe('no-referrer');
		expect(answer.headers['set-cookie']).toEqual([
			expect.stringMatching(
				new RegExp(`^agentgateway_admin_${admin.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
			),
		]);
	},
);

test('a page whose address ends like a file is a page for a browser', async () => {
	const headers = { accept: 'text/html,application/xhtml+xml' };
	expect((await ask(admin.port, '/ui/backends/time.v2', { headers })).status).toBe(200);
	expect((await ask(admin.port, '/ui/assets/time.v2', { headers })).status).toBe(404);
});

test('the nonce is new for each page', async () => {
	const pages = await Promise.all([ask(admin.port, '/ui/'), ask(admin.port, '/ui/')]);
	expect(pages[0]?.text).not.toBe(pages[1]?.text);
});

test('the cookie opens the API to the page, and is not set twice', async () => {
	const host = `localhost:${admin.port}`;
	const page = await ask(admin.port, '/ui/', { headers: { host, 'sec-fetch-site': 'none' } });
	const cookie = page.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
	const headers = { host, cookie, 'sec-fetch-site': 'same-origin' };
	expect((await ask(admin.port, '/api/state', { headers })).status).toBe(200);
	expect((await ask(admin.port, '/api/state', { headers: { ...headers, cookie: `${cookie}x` } })).status).toBe(403);
	const again = await ask(admin.port, '/ui/', { headers });
	expect(again.headers['set-cookie']).toBeUndefined();
});

test('hashed files may be kept, others are asked for again', async () => {
	const script = await ask(admin.port, '/ui/assets/index-B1a2C3d4.js');
	expect(script.text).toBe('let a;');
	expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
	expect(script.headers['cache-control']).toContain('immutable');
	expect((await ask(admin.port, '/ui/assets/index-B1a2C3d4.css')).headers['content-type']).toContain('text/css');
	const icon = await ask(admin.port, '/ui/favicon.svg');
	expect(icon.headers['content-type']).toBe('image/svg+xml');
	expect(icon.headers['cache-control']).toBe('no-cache');
	expect(icon.headers['content-security-policy']).toContain('sandbox');
});

test('HEAD has the headers only', async () => {
	const answer = await ask(admin.port, '/ui/', { method: 'HEAD' });
	expect([answer.status, answer.text]).toEqual([200, '']);
});

test.each([
	'/ui/assets/missing-B1a2C3d4.js',
	'/ui/missing.png',
	'/ui/link.txt',
	'/ui/../secret.txt',
	'/ui/..%2fsecret.txt',
	'/ui/%2e%2e/secret.txt',
	'/ui/..%5csecret.txt',
	'/ui/assets/../../secret.txt',
	'/ui/%00',
	'/ui/%ff',
	'/ui//etc/passwd.txt',
])('%s is not there', async (path) => {
	const status = await rawStatus(admin.port, path);
	expect(status).toContain(' 404 ');
});

test('without a build, the answer says what to do, until there is one', async () => {
	const root = join(folder, 'later');
	const early = await startAdmin({ uiRoot: root });
	const before = await ask(early.port, '/ui/');
	expect(before.status).toBe(503);
	expect(before.text).toContain('npm run build');
	await mkdir(root);
	await writeFile(join(root, 'index.html'), 'here');
	expect((await ask(early.port, '/ui/')).text).toBe('here');
	await early.close();
});

/** Sends the path byte by byte as it stands: clients would tidy it up. */
function rawStatus(port: number, path: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(port, '127.0.0.1', () => {
			socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
		});
		let text = '';
		socket.on('data', (chunk) => {
			text += chunk.toString('latin1');
		});
		socket.on('error', reject);
		socket.on('close', () => {
			expect(text).not.toContain('canary');
			resolve(text.split('\r\n')[0] ?? '');
		});
	});
}
