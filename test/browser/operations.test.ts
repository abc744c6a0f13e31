import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, runGateway, timeServer } from '../support/gateway.ts';
import { type LaunchedBrowser, launchBrowser, type WatchedPage, watchedPage } from './browser.ts';

/** Says why it goes, every time. */
const falling = "console.error('no database at db:5432'); console.log('starting up'); process.exit(3)";
const config = `
binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
          - name: time
            stdio: { cmd: ${process.execPath}, args: ["${timeServer}"] }
          - name: falling
            stdio: { cmd: ${process.execPath}, args: ["-e", ${JSON.stringify(falling)}] }
`;
/** Where the pictures go, for who wants to look at them. */
const pictures = process.env['SCREENSHOTS'];

let launched: LaunchedBrowser;
let gateway: RunningGateway & { readonly file: string };
let watched: WatchedPage;

beforeAll(async () => {
	launched = await launchBrowser();
	gateway = await runGateway(config);
	watched = await watchedPage(launched.browser);
});
afterAll(async () => {
	await launched?.close();
	expect(await gateway?.stop()).toBe(0);
	expect(watched.faults).toEqual([]);
});

test('a target that ends again and again says so, why, when it is tried next, and what it printed', async () => {
	const { page } = watched;
	await page.goto(`${gateway.adminUrl}/ui/`);
	const target = page.locator('[data-target=falling]');
	await target.getByText('crash-looping').waitFor({ timeout: 30_000 });
	await target.getByText('no database at db:5432').first().waitFor();
	await expect.poll(knock, { timeout: 20_000, interval: 400 }).toBe('open');
	await target.getByText('calls get an error until it succeeds').waitFor();
	expect(await target.innerText()).toMatch(/code 3[^]*ended unasked \d+ times · \d+ lines on stdout dropped/);
	expect(await target.innerText()).toMatch(/\d+ failures in a row/);
	await shoot(page, 'overview');
	await page.goto(`${gateway.adminUrl}/ui/backends`);
	await target.getByText('crash-looping').waitFor();
	await shoot(page, 'detail');
}, 60_000);

test('a file that is refused stands above every page, with the line of each error, until it is mended', async () => {
	const { page } = watched;
	writeFileSync(
		gateway.file,
		config.replace('- port: 0', '- port: 0\n  colour: red').replace('name: time', 'nam: time'),
	);
	const banner = page.getByRole('alert');
	await banner.getByText(/The configuration file has \d+ errors; what was read before stays in effect/).waitFor();
	expect(await banner.innerText()).toMatch(/config\.yaml:4:\d+[^]*config\.yaml:\d+:\d+/);
	await page.getByText('falling', { exact: true }).waitFor();
	await shoot(page, 'refused');
	writeFileSync(gateway.file, `${config}config: { mcp: { targetStartTimeout: 9s } }\n`);
	await page.getByText(/Restart the gateway to apply/).waitFor();
	await banner.waitFor({ state: 'detached' });
	await shoot(page, 'restart');
}, 60_000);

test('what runs out stands above every page, with its remedy', async () => {
	const { page, expectFaults } = await watchedPage(launched.browser);
	expectFaults(/ERR_INCOMPLETE_CHUNKED|ERR_FAILED/);
	const now = new Date().toISOString();
	const text = 'descriptors: 120 of 128 are open';
	const shortage = { kind: 'descriptors', text, remedy: 'raise the limit of open files (ulimit -n)', since: now };
	// Its own words, but in a state in which no test can keep a gateway for long.
	const state: object = await (await fetch(`${gateway.adminUrl}/api/state`)).json();
	await page.route('**/api/state', (route) => route.fulfill({ json: { ...state, pressure: [shortage] } }));
	await page.route('**/api/events', (route) => route.abort());
	await page.goto(`${gateway.adminUrl}/ui/`);
	const line = page.getByRole('status').filter({ hasText: 'New requests are refused: descriptors: 120 of 128' });
	await line.waitFor();
	expect(await line.innerText()).toContain('raise the limit of open files');
	await shoot(page, 'pressure');
}, 60_000);

/** A client comes, for which the target is started once more; gives the circuit. */
async function knock(): Promise<unknown> {
	const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'knock', version: '1' } };
	const response = await fetch(`${gateway.url()}/mcp`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
		body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
	});
	await response.text();
	const text = await (await fetch(`${gateway.adminUrl}/api/state`)).text();
	return /"name":"falling"[^]*?"circuit":"([a-z-]+)"/.exec(text)?.[1];
}

/** On a wide and a narrow screen, light and dark: nothing may stick out. */
async function shoot(page: Page, name: string): Promise<void> {
	for (const [width, colorScheme] of [
		[1280, 'light'],
		[320, 'dark'],
		[1280, 'dark'],
		[320, 'light'],
	] as const) {
		await page.setViewportSize({ width, height: 900 });
		await page.emulateMedia({ colorScheme });
		expect(await page.locator('main').evaluate((main) => main.scrollWidth - main.clientWidth), name).toBe(0);
		if (pictures === undefined) continue;
		mkdirSync(pictures, { recursive: true });
		await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`) });
	}
	await page.setViewportSize({ width: 1280, height: 800 });
	await page.emulateMedia({ colorScheme: 'light' });
}
