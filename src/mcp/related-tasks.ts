import { isScanFault, scanJson } from '../lib/json-scan.ts';
import { splice } from '../lib/splice.ts';
import type { Call } from './model.ts';
import type { Naming } from './names.ts';
import { rewritePlaces, requestMeta } from './places.ts';

/**
 * A call whose `_meta` names tasks as their server knows them. Few calls name any; only for those are the params
 * written anew. Ids of other servers stay as they are: they mean nothing to this one.
 */
export function withOwnTasks(call: Call, naming: Naming, target: string): Call {
	if (!call.meta.some(({ key }) => key.startsWith('io.modelcontextprotocol/related'))) return call;
	const { text, start, end } = call.params;
	const own = rewritePlaces(Buffer.from(splice(text, call.edits, start, end)), requestMeta, {
		change(_leaf, id) {
			const owner = naming.ownerOfTask(id);
			return owner?.target === target ? owner.name : id;
		},
	});
	if (own === null) return call;
	const params = scanJson(own, { _meta: {} });
	if (isScanFault(params)) return call;
	const meta = params.members?.find((one) => one.key === '_meta')?.members ?? [];
	return { ...call, params, edits: [], meta: meta.filter((one) => call.meta.some(({ key }) => key === one.key)) };
}
