import { isScanFault, scanJson } from '../../lib/json-scan.ts';
import type { JsonText } from '../model.ts';

/** Whether a client's capabilities object says that the client can be asked something. */
export function interactive(capabilities: JsonText): boolean {
	const scanned = scanJson(Buffer.from(capabilities), {});
	if (isScanFault(scanned)) return false;
	return scanned.members?.some(({ key }) => key === 'elicitation' || key === 'sampling' || key === 'roots') === true;
}
