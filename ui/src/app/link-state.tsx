import { useLiveState } from '../api/live-state.tsx';
import { Status } from '../components/status.tsx';

/** Whether what the page shows is live; when it is not, how old it is. */
export function LinkState() {
	const { state, link } = useLiveState();
	return (
		<span role="status" className="text-12">
			{link === 'live' && <Word state="ready" word="Live" />}
			{link === 'connecting' && <Word state="starting" word="Connecting" />}
			{link === 'lost' && (
				<>
					<span className="max-sm:hidden">
						<Status state="degraded" word="Lost" reason={lostText(state?.now)} />
					</span>
					<span className="whitespace-nowrap sm:hidden" title={lostText(state?.now)}>
						<Status state="degraded" word="Lost" reason={shortTime(state?.now)} />
					</span>
				</>
			)}
		</span>
	);
}

function Word({ state, word }: { state: 'ready' | 'starting'; word: string }) {
	return (
		<span className="inline-flex items-center gap-1.5 text-13 text-muted">
			<span aria-hidden="true" className={`size-2 rounded-full ${state === 'ready' ? 'bg-ok' : 'bg-info'}`} />
			{word}
		</span>
	);
}

/** A narrow header has room for no more. */
function shortTime(now: string | undefined): string {
	return now === undefined ? '' : new Date(now).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

function lostText(now: string | undefined): string {
	return now === undefined ? 'no answer' : `no answer, state of ${new Date(now).toLocaleTimeString()}`;
}
