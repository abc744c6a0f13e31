import { useCallback, useEffect, useRef, useState } from 'react';
import type {
	PlaygroundCall,
	PlaygroundConnect,
	PlaygroundResult,
	PlaygroundSession,
} from '../../../../src/admin/state.ts';
import { ApiFailure, callPlayground, connectPlayground, disconnectPlayground } from '../../api/client.ts';

/** Where the Playground stands. A session belongs to the route that it was opened on. */
export type Connection =
	| { phase: 'none' }
	| { phase: 'connecting'; route: string }
	| { phase: 'open'; route: string; session: PlaygroundSession }
	| { phase: 'failed'; route: string; failure: ApiFailure };

export interface PlaygroundConnection {
	connection: Connection;
	connect(route: string, body: PlaygroundConnect): void;
	/** Ends the session, or gives up connecting. */
	disconnect(): void;
	call(call: PlaygroundCall, signal: AbortSignal): Promise<PlaygroundResult>;
}

/** One MCP session of the Playground, ended when the page is left. */
export function usePlaygroundConnection(): PlaygroundConnection {
	const [connection, setConnection] = useState<Connection>({ phase: 'none' });
	const attempt = useRef<AbortController | null>(null);
	const session = useRef<string | null>(null);

	const leave = useCallback(() => {
		attempt.current?.abort();
		attempt.current = null;
		// It may be gone already, with a gateway that was restarted; then there is nothing to end.
		if (session.current !== null) disconnectPlayground(session.current).catch(() => undefined);
		session.current = null;
	}, []);
	useEffect(() => leave, [leave]);

	const connect = useCallback(
		(route: string, body: PlaygroundConnect) => {
			leave();
			const controller = new AbortController();
			attempt.current = controller;
			setConnection({ phase: 'connecting', route });
			connectPlayground(body, controller.signal).then(
				(opened) => {
					// Given up meanwhile: nobody would end it otherwise.
					if (controller.signal.aborted) return void disconnectPlayground(opened.id).catch(() => undefined);
					session.current = opened.id;
					setConnection({ phase: 'open', route, session: opened });
				},
				(error: unknown) => {
					if (!controller.signal.aborted) setConnection({ phase: 'failed', route, failure: failureOf(error) });
				},
			);
		},
		[leave],
	);

	const disconnect = useCallback(() => {
		leave();
		setConnection({ phase: 'none' });
	}, [leave]);

	const call = useCallback(async (request: PlaygroundCall, signal: AbortSignal) => {
		if (session.current === null)
			throw new ApiFailure(0, { error: 'There is no session.', remedy: 'Connect first.', detail: '' });
		try {
			return await callPlayground(session.current, request, signal);
		} catch (error) {
			// Ended by its time limit, or with a gateway that was restarted.
			if (error instanceof ApiFailure && (error.status === 404 || error.status === 410)) {
				session.current = null;
				setConnection((now) =>
					now.phase === 'open' ? { phase: 'failed', route: now.route, failure: lost(error) } : now,
				);
			}
			throw error;
		}
	}, []);

	return { connection, connect, disconnect, call };
}

function lost(error: ApiFailure): ApiFailure {
	const words = { error: 'The session has ended.', remedy: 'Press Connect to open another.', detail: error.message };
	return new ApiFailure(error.status, words);
}

/** Whatever went wrong, in the shape in which it is shown. */
export function failureOf(error: unknown): ApiFailure {
	if (error instanceof ApiFailure) return error;
	return new ApiFailure(0, { error: 'The page failed.', remedy: 'Load it again.', detail: String(error) });
}
