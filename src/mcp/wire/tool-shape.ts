import { isScanFault, type Look, scanJson } from '../../lib/json-scan.ts';
import { type Edit, splice } from '../../lib/splice.ts';
import { removals } from '../../lib/without-members.ts';

/**
 * Takes `execution` out of the tools of a `tools/list` result. Servers of the old revisions say there whether a tool
 * can run as a task; their tasks are another protocol than that of the clients which get this list.
 */
export function withoutExecution(result: Buffer): Buffer {
	return result.includes('"execution"') ? withoutItemMembers(result, tools, execution) : result;
}

const tools: Look = { tools: { '[]': {} } };
/** Lists with more tools and members of tools are passed on as they are: reading them would hold up everybody else. */
const maximumListed = 60_000;
const execution: ReadonlySet<string> = new Set(['execution']);

/**
 * Takes members out of each object of the lists that `look` names; all other bytes stay. A text that is not
 * acceptable JSON comes back as it is.
 */
function withoutItemMembers(text: Buffer, look: Look, keys: ReadonlySet<string>): Buffer {
	const scanned = scanJson(text, look, maximumListed);
	if (isScanFault(scanned)) return text;
	const edits: Edit[] = [];
	for (const list of scanned.members ?? []) {
		if (!Object.hasOwn(look, list.key) || scanned.text[list.start] !== 0x5b) continue;
		for (const item of list.members ?? []) {
			if (scanned.text[item.start] === 0x7b) edits.push(...removals(item.members ?? [], keys));
		}
	}
	return splice(scanned.text, edits);
}
