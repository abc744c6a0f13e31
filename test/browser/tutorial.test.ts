import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { everythingServer, root, runGateway, type RunningGateway, timeServer } from '../support/gateway.ts';
import { type LaunchedBrowser, launchBrowser, type WatchedPage, watchedPage } from './browser.ts';

const seed = readFileSync(join(root, 'test/fixtures/seed.yaml'), 'utf8');
/** The seed's file with servers that need no download, on a free port. */
const local = seed
	.replace('port: 3000', 'port: 0')
	.replace(/cmd: uvx\n\s+args: .*/, `cmd: ${process.execPath}\n              args: ["${timeServer}"]`)
	.replace(/cmd: npx\n\s+args: .*/, `cmd: ${process.execPath}\n              args: ["${everythingServer}"]`);
const withoutCors = local.replace(/ {4}- policies:\n(?: {8}.*\n)+ {6}backends:/, '    - backends:');

let launched: LaunchedBrowser;
let gateway: RunningGateway;
const opened: WatchedPage[] = [];

beforeAll(async () => {
	launched = await launchBrowser();
	gateway = await runGateway(withoutCors);
});
afterAll(async () => {
	await launched?.close();
	expect(await gateway?.stop()).toBe(0);
});
// What no user should ever meet, on any page of any test.
afterEach(async () => {
	const pages = opened.splice(0);
	for (const { page } of pages) await page.context().close();
	expect(pages.flatMap(({ faults }) => faults)).toEqual([]);
});

async function open(path: string, options: BrowserContextOptions = {}, admin = gateway.adminUrl): Promise<WatchedPage> {
	const watched = await watchedPage(launched.browser, options);
	opened.push(watched);
	await watched.page.goto(`${admin}/ui/${path}`);
	await watched.page.getByRole('heading', { level: 1 }).waitFor();
	return watched;
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const response = (page: Page) => page.getByRole('region', { name: 'Response' });

async function walkTutorial(page: Page): Promise<void> {
	await page.getByRole('link', { name: 'Backends' }).first().click();
	for (const words of ['1 total backend', '1 MCP', 'MCP: time, everything', '2 targets'])
		await page.getByText(words, { exact: true }).waitFor();
	await page.getByText(`${process.execPath} ${timeServer}`).waitFor();
	await expect.poll(() => page.getByText('Ready', { exact: true }).count()).toBe(2);

	await page.getByRole('link', { name: 'Playground' }).click();
	await page.getByRole('region', { name: 'Routes' }).getByRole('button', { name: 'Route 1' }).click();
	await button(page, 'Connect').click();
	const tools = page.getByRole('region', { name: 'Available Tools' });
	await tools.getByRole('button', { name: 'everything_echo' }).waitFor();
	await tools.getByRole('button', { name: 'time_convert_time' }).waitFor();

	await tools.getByRole('button', { name: 'time_get_current_time' }).click();
	await page.getByLabel('timezone').fill('America/New_York');
	await button(page, 'Run Tool').click();
	await response(page).getByText('Done').waitFor();
	expect(await response(page).innerText()).toMatch(/datetime: ?"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00"/);
}

describe("the seed's steps 4 to 6", () => {
	test('without its cors block', async () => {
		expect(withoutCors).not.toContain('cors');
		const { page } = await open('');
		await walkTutorial(page);
		if (process.env['UPDATE_SCREENSHOTS'] === '1') {
			mkdirSync(join(root, 'docs/images'), { recursive: true });
			await page.screenshot({ path: join(root, 'docs/images/playground.png') });
		}

		await page.getByLabel('timezone').fill('Mars/Phobos');
		await button(page, 'Run Tool').click();
		await response(page).getByText('The tool reported an error').waitFor();
		expect(await response(page).innerText()).toContain('Mars/Phobos');

		await button(page, 'everything_echo').click();
		await page.getByLabel('message').fill('<b>bold\u202e</b>');
		await button(page, 'Run Tool').click();
		await response(page).getByText('Echo: <b>bold').waitFor();
		await response(page).getByText('U+202E').first().waitFor();
		await button(page, 'Disconnect').click();
		await page.getByText('Not connected.').waitFor();
	});

	test('with it', async () => {
		expect(local).toContain('cors');
		const other = await runGateway(local);
		try {
			const { page } = await open('', {}, other.adminUrl);
			await walkTutorial(page);
		} finally {
			expect(await other.stop()).toBe(0);
		}
	});

	test('by keyboard alone', async () => {
		const { page } = await open('playground');
		const tabTo = async (name: RegExp) => {
			for (let presses = 0; presses < 60; presses++) {
				await page.keyboard.press('Tab');
				const text = await page.evaluate(
					() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
				);
				if (name.test(text)) return;
			}
			throw new Error(`Tab does not reach ${name}`);
		};
		await page.getByRole('region', { name: 'Routes' }).waitFor();
		await tabTo(/^Connect$/);
		await page.keyboard.press('Enter');
		await button(page, 'time_get_current_time').waitFor();
		await tabTo(/^Filter the tools$/);
		await page.keyboard.type('current');
		await page.keyboard.press('ArrowDown');
		await page.keyboard.press('Enter');
		await page.getByLabel('timezone').waitFor();
		const field = await page.getByLabel('timezone').getAttribute('id');
		for (let presses = 0; (await page.evaluate(() => document.activeElement?.id)) !== field; presses++) {
			expect(presses).toBeLessThan(60);
			await page.keyboard.press('Tab');
		}
		await page.keyboard.type('Asia/Tokyo');
		await page.keyboard.press('Control+Enter');
		await response(page).getByText('Asia/Tokyo').first().waitFor();
	});
});

describe('a form', () => {
	test('says what is wrong beside the field, and keeps what was typed', async () => {
		const { page } = await open('playground');
		await button(page, 'Connect').click();
		await button(page, 'everything_get-sum').click();
		await page.getByLabel('a', { exact: true }).fill('two');
		await button(page, 'Run Tool').click();
		await page.getByText('This must be a number, such as 5 or 2.5.').waitFor();
		await page.getByText('This is required.').waitFor();
		expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-invalid'))).toBe('true');
		expect(await page.getByLabel('a', { exact: true }).inputValue()).toBe('two');
		await page.getByLabel('a', { exact: true }).fill('2');
		await page.getByLabel('b', { exact: true }).fill('3');
		await button(page, 'Run Tool').click();
		await response(page)
			.getByText(/sum of 2 and 3 is 5/)
			.waitFor();
	});

	test('a call that takes long shows it and can be cancelled', async () => {
		const { page } = await open('playground');
		await button(page, 'Connect').click();
		await button(page, 'everything_trigger-long-running-operation').click();
		await button(page, 'Run Tool').click();
		await button(page, 'Cancel').click();
		await response(page).getByText('The call was cancelled.').waitFor();
	});
});

describe('the pages', () => {
	test('deep links reload, Back works, an unknown page says so', async () => {
		const { page } = await open('playground');
		await button(page, 'Connect').click();
		await button(page, 'everything_echo').click();
		await expect.poll(() => page.url()).toContain('tool=everything_echo');
		await page.reload();
		await button(page, 'Connect').click();
		await page.getByLabel('message').waitFor();
		await page.getByRole('link', { name: 'Routes' }).click();
		await page.getByRole('heading', { level: 1, name: 'Routes' }).waitFor();
		await page.goBack();
		await page.getByRole('heading', { level: 1, name: 'Playground' }).waitFor();
		await page.goto(`${gateway.adminUrl}/ui/nowhere`);
		await page.getByText('There is no such page').waitFor();
	});

	test('fit a narrow screen, in the dark, with labels on everything', async () => {
		const options = {
			viewport: { width: 320, height: 640 },
			colorScheme: 'dark' as const,
			reducedMotion: 'reduce' as const,
		};
		const { page } = await open('', options);
		for (const path of ['', 'listeners', 'routes', 'backends', 'playground', 'components']) {
			await page.goto(`${gateway.adminUrl}/ui/${path}`);
			await page.getByRole('heading', { level: 2 }).first().waitFor();
			expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(320);
			expect(await page.locator('main').evaluate((main) => main.scrollWidth - main.clientWidth), path).toBe(0);
			expect(await page.evaluate(unlabelled), path).toEqual([]);
			expect(await page.getByRole('heading', { level: 1 }).count(), path).toBe(1);
		}
		await button(page, 'Show the pages').click();
		await page.getByRole('dialog').getByRole('link', { name: 'Home' }).click();
		await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
		expect(await page.evaluate(() => getComputedStyle(document.body).colorScheme)).not.toBe('light');
	});

	test('the theme is remembered', async () => {
		const { page } = await open('');
		await button(page, /Change to light/).click();
		await button(page, /Change to dark/).click();
		await page.reload();
		await page.getByRole('heading', { level: 1 }).waitFor();
		expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
	});
});

describe('live state', () => {
	test('a target that comes later shows without a reload, and why it was missing until then', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'agentgateway-late-'));
		const command = join(folder, 'late-server');
		const other = await runGateway(`
binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
          - name: late
            stdio: { cmd: ${command}, args: ["${timeServer}"] }
`);
		try {
			const { page } = await open('', {}, other.adminUrl);
			await page.getByText(/Failed: command .*late-server.* was not found/).waitFor();
			symlinkSync(process.execPath, command);
			await page.getByText('Ready', { exact: true }).waitFor({ timeout: 15_000 });
			await page.getByText('2 tools').waitFor();
		} finally {
			await other.stop();
			rmSync(folder, { recursive: true });
		}
	}, 40_000);

	test('a session that ended with its gateway is told, and opened again', async () => {
		const first = await runGateway(withoutCors);
		const { page, expectFaults } = await open('playground', {}, first.adminUrl);
		expectFaults(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|40[34]|410/);
		await button(page, 'Connect').click();
		await button(page, 'everything_echo').click();
		await page.getByLabel('message').fill('hello');
		await first.stop();
		const samePort = withoutCors.replace('port: 0', `port: ${new URL(first.url()).port}`);
		const second = await runGateway(samePort, { env: { ADMIN_ADDR: `127.0.0.1:${new URL(first.adminUrl).port}` } });
		try {
			await page.getByText('Live', { exact: true }).waitFor({ timeout: 15_000 });
			await button(page, 'Run Tool').click();
			await page.getByText('The session has ended.').waitFor();
			await button(page, 'Connect').click();
			await button(page, 'everything_echo').click();
			await page.getByLabel('message').fill('again');
			await button(page, 'Run Tool').click();
			await response(page).getByText('Echo: again').waitFor();
		} finally {
			await second.stop();
		}
	}, 40_000);

	test('a restart of the gateway is seen, and lived through', async () => {
		const folder = mkdtempSync(join(tmpdir(), 'agentgateway-restart-'));
		writeFileSync(join(folder, 'empty'), '');
		const first = await runGateway(withoutCors);
		const { page, expectFaults } = await open('', {}, first.adminUrl);
		expectFaults(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|403/);
		await page.getByText('Live', { exact: true }).waitFor();
		await first.stop();
		await page.getByText(/no answer, state of/).waitFor();
		const second = await runGateway(withoutCors, { env: { ADMIN_ADDR: `127.0.0.1:${new URL(first.adminUrl).port}` } });
		try {
			await page.getByText('Live', { exact: true }).waitFor({ timeout: 15_000 });
			await expect.poll(() => page.getByText('Ready', { exact: true }).count(), { timeout: 10_000 }).toBe(2);
		} finally {
			await second.stop();
			rmSync(folder, { recursive: true });
		}
	}, 40_000);
});

/** Controls without a name, as a screen reader would meet them. Runs in the page. */
function unlabelled(): string[] {
	const controls = [...document.querySelectorAll<HTMLElement>('button, input, select, textarea, a[href]')];
	return controls.filter((control) => !hasName(control)).map((control) => control.outerHTML.slice(0, 120));

	function hasName(control: HTMLElement): boolean {
		const labels = 'labels' in control ? [...((control.labels ?? []) as Iterable<HTMLElement>)] : [];
		const text = [control.getAttribute('aria-label'), control.textContent, ...labels.map((label) => label.textContent)];
		return text.some((one) => (one ?? '').trim() !== '');
	}
}
