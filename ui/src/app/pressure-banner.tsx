import { useLiveState } from '../api/live-state.tsx';
import { Notice } from '../components/notice.tsx';
import { Time } from '../components/time.tsx';

/** Stands above every page while requests are refused because something runs out. */
export function PressureBanner() {
	const { state } = useLiveState();
	return state?.pressure.map(({ kind, text, remedy, since }) => (
		<Notice key={kind} tone="warn">
			<p className="font-medium">New requests are refused: {text}</p>
			<p>
				<span className="text-muted">
					Since <Time at={since} />.
				</span>{' '}
				To have more room, {remedy}.
			</p>
		</Notice>
	));
}
