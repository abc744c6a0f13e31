import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import type { StateSnapshot } from '../../../src/admin/state.ts';
import { type ApiFailure, getState, renewCookie } from './client.ts';
import { EventStream, type Link } from './event-stream.ts';

const LinkContext = createContext<Link>('connecting');
const stateKey = ['state'];

/** Keeps the state of the gateway fresh for all pages: one stream of events feeds one query. */
export function LiveStateProvider({ children }: { children: ReactNode }) {
	const queries = useQueryClient();
	const [link, setLink] = useState<Link>('connecting');
	useEffect(() => {
		const stream = new EventStream({
			open: () => new EventSource('/api/events'),
			renew: renewCookie,
			onState: (text) => queries.setQueryData(stateKey, JSON.parse(text) as StateSnapshot),
			onLink: setLink,
		});
		stream.start();
		return () => stream.stop();
	}, [queries]);
	return <LinkContext value={link}>{children}</LinkContext>;
}

export interface LiveState {
	/** The last that is known; undefined until the first answer. */
	state: StateSnapshot | undefined;
	/** Why there is no state. */
	failure: ApiFailure | null;
	link: Link;
}

export function useLiveState(): LiveState {
	const link = useContext(LinkContext);
	const { data, error } = useQuery<StateSnapshot, ApiFailure>({
		queryKey: stateKey,
		queryFn: ({ signal }) => getState(signal),
		staleTime: Number.POSITIVE_INFINITY,
	});
	return { state: data, failure: data === undefined ? error : null, link };
}
