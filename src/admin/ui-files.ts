import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { Exchange } from '../http/exchange.ts';
import { apiError, securityHeaders, sendError, sendText } from './replies.ts';

/** Answers one request under `/ui/`; `cookie` is a Set-Cookie value or null. */
export type UiFiles = (exchange: Exchange, cookie: string | null) => void;

/**
 * Serves the built UI from a folder: hashed files for ever, `index.html` for every address without a file, so that a
 * deep link reloads. Files are read once, when first asked for. Only names found in the folder's own listing are
 * served, which leaves nothing for `..` to climb on.
 *
 * @param root Folder with `index.html`; null when none was built.
 * @param nonce Gives a fresh random text for each page (CSP level 3).
 */
export function createUiFiles(root: string | null, nonce: () => string): UiFiles {
	let listing: Promise<Map<string, string>> | null = null;
	const contents = new Map<string, Promise<Buffer>>();

	function content(file: string): Promise<Buffer> {
		const known = contents.get(file);
		if (known !== undefined) return known;
		const reading = readFile(file);
		contents.set(file, reading);
		reading.catch(() => contents.delete(file));
		return reading;
	}

	function listed(): Promise<Map<string, string>> {
		const looking = list(root);
		// What failed once, such as for want of descriptors, may work the next time.
		looking.catch(() => {
			listing = null;
		});
		return looking;
	}

	async function answer(exchange: Exchange, cookie: string | null): Promise<void> {
		const files = await (listing ??= listed());
		const index = files.get('index.html');
		if (index === undefined) {
			// Perhaps it is being built right now: look again next time.
			listing = null;
			sendText(exchange, 503, 'The UI was not built. Run `npm run build`, then load this page again.');
			return;
		}
		const name = fileName(exchange.path);
		const file = name === null ? undefined : files.get(name);
		if (name !== null && file !== undefined && file !== index) {
			sendFile(exchange, name, await content(file), cookie);
		} else if (name === null || (file !== index && isFileName(name, exchange))) {
			sendError(exchange, 404, apiError('There is no such file in the UI.', 'Load the page again.'));
		} else sendIndex(exchange, await content(index), nonce(), cookie);
	}

	return (exchange, cookie) => {
		answer(exchange, cookie).catch((error: unknown) => {
			const detail = error instanceof Error ? error.message : String(error);
			const short = ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');
			const remedy = short ? 'Raise the limit of open files (ulimit -n).' : 'Build the UI again.';
			sendError(exchange, 500, apiError('A file of the UI could not be read.', remedy, detail));
		});
	};
}

/** The page's policy: own files only, styles by nonce, images and sound also from the data that a tool returned. */
function contentSecurityPolicy(nonce: string): string {
	return [
		"default-src 'none'",
		"script-src 'self'",
		`style-src 'self' 'nonce-${nonce}'`,
		"img-src 'self' data: blob:",
		"media-src 'self' data: blob:",
		"font-src 'self'",
		"connect-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	].join('; ');
}

function sendIndex(exchange: Exchange, page: Buffer, nonce: string, cookie: string | null): void {
	const headers = [
		...securityHeaders,
		'content-security-policy',
		contentSecurityPolicy(nonce),
		'permissions-policy',
		'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
		'cache-control',
		'no-store',
		'content-type',
		'text/html; charset=utf-8',
	];
	if (cookie !== null) headers.push('set-cookie', cookie);
	exchange.respond(200, headers, page.toString('utf8').replaceAll('__CSP_NONCE__', nonce));
}

function sendFile(exchange: Exchange, name: string, content: Buffer, cookie: string | null): void {
	const hashed = /[-.][\w-]{8,}\.[a-z0-9]+$/i.test(name) && name.startsWith('assets/');
	const headers = [
		...securityHeaders,
		// A picture or document opened by itself must not run anything either.
		'content-security-policy',
		"default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
		'cache-control',
		hashed ? 'private, max-age=31536000, immutable' : 'no-cache',
		'content-type',
		mediaTypes[extname(name).toLowerCase()] ?? 'application/octet-stream',
	];
	if (cookie !== null && !hashed) headers.push('set-cookie', cookie);
	exchange.respond(200, headers, content);
}

const mediaTypes: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.mjs': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json',
	'.map': 'application/json',
	'.svg': 'image/svg+xml',
	'.png': 'image/png',
	'.ico': 'image/x-icon',
	'.webp': 'image/webp',
	'.woff2': 'font/woff2',
	'.txt': 'text/plain; charset=utf-8',
	'.webmanifest': 'application/manifest+json',
};

/** Whether a name means a file. The address of a page may end like one too (`time.v2`); then HTML is asked for. */
function isFileName(name: string, { headers }: Exchange): boolean {
	if (name.startsWith('assets/')) return true;
	return /\.[a-z0-9]{1,5}$/i.test(name) && !headers.accept?.includes('text/html');
}

/** `/ui/assets/a.js` → `assets/a.js`; null when the path is not well formed. */
function fileName(path: string): string | null {
	try {
		const name = decodeURIComponent(path.slice('/ui/'.length));
		return name.split(/[/\\]/).includes('..') || name.includes('\0') ? null : name;
	} catch {
		return null;
	}
}

/** Names with `/` → files. Links are left out: what they lead to is no part of the build. */
async function list(root: string | null): Promise<Map<string, string>> {
	const found = new Map<string, string>();
	if (root === null || !(await stat(root).catch(() => null))?.isDirectory()) return found;
	for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
		if (!entry.isFile()) continue;
		const file = join(entry.parentPath, entry.name);
		found.set(relative(root, file).split(sep).join('/'), file);
	}
	return found;
}
