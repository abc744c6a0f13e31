import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, startAdmin, token } from './harness.ts';
import type { AdminUnderTest } from './harness.ts';

let here: AdminUnderTest;
let elsewhere: AdminUnderTest;

beforeAll(async () => {
	here = await startAdmin();
	elsewhere = await startAdmin({ elsewhere: true });
});

afterAll(async () => {
	await here.close();
	await elsewhere.close();
});

function cookieOf(setCookie: string[] | undefined): string {
	return setCookie?.[0]?.split(';')[0] ?? '';
}

describe('over loopback', () => {
	test.each([
		['/api/state', 'GET'],
		['/api/config', 'GET'],
		['/config', 'GET'],
		['/config_dump', 'GET'],
		['/api/runtime', 'GET'],
		['/logging', 'GET'],
		['/api/config', 'POST'],
		['/config', 'POST'],
		['/api/events', 'GET'],
		['/api/playground/connect', 'POST'],
		['/api/playground/sessions/00/call', 'POST'],
		['/api/playground/sessions/00', 'DELETE'],
		['/api/nothing', 'GET'],
		['/ui/', 'GET'],
		['/', 'GET'],
	])('%s (%s) refuses foreign hosts and pages', async (path, method) => {
		const json = { 'content-type': 'application/json' };
		const own = `localhost:${here.port}`;
		const attacks: Record<string, string>[] = [
			{ host: 'evil.example' },
			{ host: own, origin: 'http://evil.example' },
			{ host: own, origin: 'http://localhost:3000' },
			{ host: own, origin: 'null' },
			{ host: own, 'sec-fetch-site': 'cross-site' },
			{ host: own, 'sec-fetch-site': 'same-site' },
		];
		for (const headers of attacks) {
			const answer = await ask(here.port, path, { method, headers: { ...json, ...headers } });
			expect(answer.status, JSON.stringify(headers)).toBe(403);
			expect(JSON.parse(answer.text)).toMatchObject({ error: expect.any(String), remedy: expect.stringMatching(/./) });
			expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
			expect(answer.headers['set-cookie']).toBeUndefined();
		}
	});

	test('a program of this machine is let in', async () => {
		const answer = await ask(here.port, '/api/state');
		expect(answer.status).toBe(200);
		expect(JSON.parse(answer.text)).toEqual(here.state);
		expect(answer.headers['x-content-type-options']).toBe('nosniff');
		expect(answer.headers['cache-control']).toBe('no-store');
	});

	test('a browser without the cookie of the page is told where to get it', async () => {
		const own = `localhost:${here.port}`;
		for (const site of ['same-origin', 'none']) {
			const answer = await ask(here.port, '/api/state', { headers: { host: own, 'sec-fetch-site': site } });
			expect(answer.status).toBe(403);
			expect(JSON.parse(answer.text).remedy).toContain(`http://${own}/ui/`);
		}
	});

	test('a write needs JSON', async () => {
		for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
			const answer = await ask(here.port, '/api/config', { method: 'POST', headers: { 'content-type': type } });
			expect(answer.status).toBe(415);
		}
		expect((await ask(here.port, '/logging?level=debug', { method: 'POST' })).status).toBe(415);
	});

	test('a preflight gets no leave', async () => {
		const headers = { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' };
		const answer = await ask(here.port, '/api/config', { method: 'OPTIONS', headers });
		expect(answer.status).toBe(403);
		expect(answer.headers['access-control-allow-origin']).toBeUndefined();
	});
});

describe('from elsewhere', () => {
	test('nothing without the token', async () => {
		for (const path of ['/', '/ui/', '/ui/assets/x.js', '/api/state', '/config_dump', '/api/nothing']) {
			expect((await ask(elsewhere.port, path)).status, path).toBe(403);
		}
	});

	test('a program with the token', async () => {
		const headers = { authorization: `Bearer ${token}` };
		expect((await ask(elsewhere.port, '/api/state', { headers })).status).toBe(200);
		expect((await ask(elsewhere.port, '/api/state', { headers: { authorization: 'Bearer x' } })).status).toBe(403);
	});

	test('a browser shows the token once, and the address forgets it', async () => {
		const first = await ask(elsewhere.port, `/ui/backends/?a=1&token=${token}`);
		expect(first.status).toBe(303);
		expect(first.headers.location).toBe('/ui/backends/?a=1');
		expect(first.headers['set-cookie']?.[0]).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
		expect(JSON.stringify(first)).not.toContain(token);
		const cookie = cookieOf(first.headers['set-cookie']);
		expect((await ask(elsewhere.port, '/api/state', { headers: { cookie } })).status).toBe(200);
		const post = { method: 'POST', headers: { cookie, 'content-type': 'application/json' } };
		expect((await ask(elsewhere.port, '/api/config', post)).status).toBe(403);
		const origin = `http://127.0.0.1:${elsewhere.port}`;
		const sameOrigin = { method: 'POST', headers: { ...post.headers, origin } };
		expect((await ask(elsewhere.port, '/api/config', sameOrigin)).status).toBe(409);
	});

	test('a person in a browser reads text', async () => {
		const answer = await ask(elsewhere.port, '/ui/', { headers: { accept: 'text/html,*/*' } });
		expect(answer.headers['content-type']).toContain('text/plain');
		expect(answer.text).toContain('/ui/?token=');
	});
});
