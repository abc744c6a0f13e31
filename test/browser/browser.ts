import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** A browser with its temporary files. */
export interface LaunchedBrowser {
	readonly browser: Browser;
	close(): Promise<void>;
}

/** A page with all that went wrong on it. */
export interface WatchedPage {
	readonly page: Page;
	/** Errors in the console, exceptions, refused styles or scripts, requests that failed or left the gateway. */
	readonly faults: string[];
	/** Faults that the test itself brings about, such as a gateway that is restarted. */
	expectFaults(pattern: RegExp): void;
}

/** Starts the Chromium of the PATH, else the one that comes from npm. `more`: further switches. */
export async function launchBrowser(more: readonly string[] = []): Promise<LaunchedBrowser> {
	const folder = mkdtempSync(join(tmpdir(), 'agentgateway-browser-'));
	const { executable, libraries } = installedChromium() ?? (await packagedChromium(folder));
	const browser = await chromium.launch({
		executablePath: executable,
		// Not the package's own list, which switches web security off.
		args: [
			'--no-sandbox',
			'--headless=shell',
			'--disable-gpu',
			'--disable-dev-shm-usage',
			'--force-color-profile=srgb',
			...more,
		],
		env: { ...process.env, TMPDIR: folder, LD_LIBRARY_PATH: libraries, ...fonts(folder) },
	});
	return {
		browser,
		close: async () => {
			await browser.close();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** Opens a page that takes note of everything a user should never meet. */
export async function watchedPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
	const context = await browser.newContext({
		viewport: { width: 1280, height: 800 },
		colorScheme: 'light',
		...options,
	});
	const page = await context.newPage();
	const faults: string[] = [];
	const expected: RegExp[] = [];
	const note = (fault: string) => {
		if (!expected.some((pattern) => pattern.test(fault))) faults.push(fault);
	};
	page.on('console', (message) => {
		if (message.type() === 'error' || message.type() === 'warning') note(`console: ${message.text()}`);
	});
	page.on('pageerror', (error) => note(`exception: ${error.message}`));
	page.on('requestfailed', (request) => {
		// The page ends its own streams when it goes.
		if (request.failure()?.errorText !== 'net::ERR_ABORTED')
			note(`failed: ${request.url()} ${request.failure()?.errorText}`);
	});
	page.on('request', (request) => {
		const { hostname, protocol } = new URL(request.url());
		if (!['127.0.0.1', 'localhost'].includes(hostname) && !['data:', 'blob:'].includes(protocol))
			note(`external: ${request.url()}`);
	});
	return { page, faults, expectFaults: (pattern) => expected.push(pattern) };
}

/** A machine without a font of its own draws no letter at all; the package brings one. */
function fonts(folder: string): Record<string, string> {
	const packaged = join(folder, 'fonts');
	if (!existsSync(packaged)) return {};
	const file = join(folder, 'fonts.conf');
	const folders = ['/usr/share/fonts', '/usr/local/share/fonts', packaged].map((dir) => `<dir>${dir}</dir>`).join('');
	writeFileSync(file, `<fontconfig>${folders}<cachedir>${join(folder, 'fonts-cache')}</cachedir></fontconfig>`);
	return { FONTCONFIG_FILE: file };
}

interface Found {
	executable: string;
	libraries: string;
}

function installedChromium(): Found | null {
	for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
		for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
			const executable = join(folder, name);
			if (folder !== '' && isExecutable(executable))
				return { executable, libraries: process.env['LD_LIBRARY_PATH'] ?? '' };
		}
	}
	return null;
}

async function packagedChromium(folder: string): Promise<Found> {
	// It unpacks to the temporary folder and takes what it finds there unchecked.
	const before = process.env['TMPDIR'];
	process.env['TMPDIR'] = folder;
	// On a machine that looks like Lambda it also unpacks the libraries that slim systems lack.
	process.env['AWS_LAMBDA_JS_RUNTIME'] ??= 'nodejs22.x';
	try {
		const { default: packaged } = await import('@sparticuz/chromium');
		const executable = await packaged.executablePath();
		const libraries = [join(dirname(executable), 'al2023', 'lib'), join(folder, 'al2023', 'lib')].filter(existsSync);
		return { executable, libraries: [...libraries, process.env['LD_LIBRARY_PATH'] ?? ''].join(':') };
	} finally {
		if (before === undefined) delete process.env['TMPDIR'];
		else process.env['TMPDIR'] = before;
	}
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
