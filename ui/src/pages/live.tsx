import type { ReactNode } from 'react';
import type { StateSnapshot } from '../../../src/admin/state.ts';
import { useLiveState } from '../api/live-state.tsx';
import { ErrorState } from '../components/error-state.tsx';
import { Page } from '../components/page.tsx';
import { Skeleton } from '../components/skeleton.tsx';

export interface LivePageProps {
	title: string;
	summary: (state: StateSnapshot) => ReactNode;
	children: (state: StateSnapshot) => ReactNode;
}

/** A reading page over the live state, with its loading, failed and stale looks. */
export function LivePage({ title, summary, children }: LivePageProps) {
	const { state, failure } = useLiveState();
	if (state === undefined) {
		return (
			<Page title={title}>
				{failure === null ? (
					<Skeleton />
				) : (
					<ErrorState title={failure.message} remedy={failure.remedy} detail={failure.detail} />
				)}
			</Page>
		);
	}
	return (
		<Page title={title} summary={summary(state)}>
			{children(state)}
		</Page>
	);
}
