import type {
	ApiError,
	PlaygroundCall,
	PlaygroundConnect,
	PlaygroundResult,
	PlaygroundSession,
	StateSnapshot,
} from '../../../src/admin/state.ts';

/** A refusal of the admin API, or the words for an answer that did not come. */
export class ApiFailure extends Error {
	/** HTTP status; 0 when the gateway did not answer. */
	readonly status: number;
	readonly remedy: string;
	readonly detail: string;

	constructor(status: number, { error, remedy, detail }: ApiError) {
		super(error);
		this.status = status;
		this.remedy = remedy;
		this.detail = detail;
	}
}

export function getState(signal?: AbortSignal): Promise<StateSnapshot> {
	return request<StateSnapshot>('GET', '/api/state', undefined, signal);
}

export function connectPlayground(body: PlaygroundConnect, signal: AbortSignal): Promise<PlaygroundSession> {
	return request<PlaygroundSession>('POST', '/api/playground/connect', body, signal);
}

export function callPlayground(id: string, call: PlaygroundCall, signal: AbortSignal): Promise<PlaygroundResult> {
	return request<PlaygroundResult>('POST', `/api/playground/sessions/${encodeURIComponent(id)}/call`, call, signal);
}

export function disconnectPlayground(id: string): Promise<unknown> {
	return request('DELETE', `/api/playground/sessions/${encodeURIComponent(id)}`);
}

/** The gateway makes a new cookie when it starts; loading the page brings it. */
export async function renewCookie(): Promise<boolean> {
	try {
		return (await fetch('/ui/', { headers: { accept: 'text/html' }, cache: 'no-store' })).ok;
	} catch {
		return false;
	}
}

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
	let response = await send(method, path, body, signal);
	// The cookie is of a gateway that has been restarted since.
	if (response.status === 403 && (await renewCookie())) response = await send(method, path, body, signal);
	const text = await response.text();
	const value = parse(text);
	if (response.ok) return value as T;
	throw new ApiFailure(response.status, readError(value, response.status, text));
}

async function send(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
	const headers: Record<string, string> = { accept: 'application/json' };
	if (body !== undefined) headers['content-type'] = 'application/json';
	try {
		return await fetch(path, {
			method,
			headers,
			body: body === undefined ? null : JSON.stringify(body),
			signal: signal ?? null,
		});
	} catch (error) {
		if (signal?.aborted === true) throw error;
		throw new ApiFailure(0, {
			error: 'The gateway does not answer.',
			remedy: 'Check that it still runs; this page connects again by itself.',
			detail: error instanceof Error ? error.message : String(error),
		});
	}
}

function readError(value: unknown, status: number, text: string): ApiError {
	if (typeof value === 'object' && value !== null && 'error' in value && typeof value.error === 'string') {
		const { error } = value;
		const part = (key: 'remedy' | 'detail') => {
			const found = (value as Record<string, unknown>)[key];
			return typeof found === 'string' ? found : '';
		};
		return { error, remedy: part('remedy'), detail: part('detail') };
	}
	return { error: `The gateway answered HTTP ${status}.`, remedy: '', detail: text.slice(0, 2000) };
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
