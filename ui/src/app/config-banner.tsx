import type { ConfigErrorView } from '../../../src/admin/state.ts';
import { useLiveState } from '../api/live-state.tsx';
import { ErrorState } from '../components/error-state.tsx';

/** Stands above every page while the file says something else than what runs. */
export function ConfigBanner() {
	const { state } = useLiveState();
	if (state === undefined || (state.config.synchronized && state.config.needsRestart.length === 0)) return null;
	const { errors, needsRestart, synchronized, since } = state.config;
	return (
		<div className="flex flex-col gap-2 px-4 pt-4">
			{!synchronized && (
				<ErrorState
					title={`The configuration file has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}; what was read before stays in effect.`}
					remedy={`${placeText(errors[0])} (since ${new Date(since).toLocaleTimeString()})`}
					detail={errors.map(errorText).join('\n')}
				/>
			)}
			{needsRestart.length > 0 && (
				<p role="status" className="rounded-6 border border-line bg-raised p-3 text-13 [overflow-wrap:anywhere]">
					Restart the gateway to apply {needsRestart.join(', ')}. Everything else in the file is in effect.
				</p>
			)}
		</div>
	);
}

function placeText(error: ConfigErrorView | undefined): string {
	if (error === undefined) return 'See the log';
	const place = error.line === 0 ? '' : `Line ${error.line}: `;
	return `${place}${error.message}${error.remedy === '' ? '' : `; ${error.remedy}`}`;
}

function errorText({ file, line, column, path, message, remedy }: ConfigErrorView): string {
	const place = line === 0 ? file : `${file}:${line}:${column}`;
	return `${place}: ${path === '' ? '' : `${path}: `}${message}${remedy === '' ? '' : `; ${remedy}`}`;
}
