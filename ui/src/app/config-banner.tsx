import type { ConfigErrorView } from '../../../src/admin/state.ts';
import { useLiveState } from '../api/live-state.tsx';
import { ErrorState } from '../components/error-state.tsx';
import { Notice } from '../components/notice.tsx';
import { ServerText } from '../components/server-text.tsx';
import { Time } from '../components/time.tsx';

/** More than these are folded, so that the page below stays in sight. */
const shown = 5;

/** Stands above every page while the file says something else than what runs. */
export function ConfigBanner() {
	const { state } = useLiveState();
	if (state === undefined) return null;
	const { errors, needsRestart, synchronized, since } = state.config;
	const more = errors.slice(shown);
	return (
		<>
			{!synchronized && (
				<ErrorState
					title={`The configuration file has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}; what was read before stays in effect.`}
				>
					<p className="text-12 text-muted">
						Since <Time at={since} />. The file is read again when it changes.
					</p>
					<Errors errors={errors.slice(0, shown)} />
					{more.length > 0 && (
						<details>
							<summary className="text-12 text-muted underline">{more.length} more</summary>
							<Errors errors={more} />
						</details>
					)}
				</ErrorState>
			)}
			{needsRestart.length > 0 && (
				<Notice tone="info">
					<p>
						Restart the gateway to apply <code className="font-mono text-12">{needsRestart.join(', ')}</code>.
						Everything else in the file is in effect.
					</p>
				</Notice>
			)}
		</>
	);
}

function Errors({ errors }: { errors: readonly ConfigErrorView[] }) {
	return (
		<ul className="mt-1 flex flex-col gap-2">
			{errors.map((error) => (
				<li key={`${placeOf(error)} ${error.path} ${error.message}`} className="[overflow-wrap:anywhere]">
					<p className="font-mono text-12 text-muted">
						{placeOf(error)}
						{error.path !== '' && ` · ${error.path}`}
					</p>
					<p>
						<ServerText text={error.message} />
					</p>
					{error.remedy !== '' && (
						<p className="text-muted">
							<ServerText text={sentence(error.remedy)} />
						</p>
					)}
				</li>
			))}
		</ul>
	);
}

function placeOf({ file, line, column }: ConfigErrorView): string {
	return line === 0 ? file : `${file}:${line}:${column}`;
}

function sentence(text: string): string {
	return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}
