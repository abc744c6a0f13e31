import type { StateSnapshot, TargetView } from '../../src/admin/state.ts';
import type { RunningGateway } from './gateway.ts';

/** What the admin API shows. */
export async function stateOf({ adminUrl }: Pick<RunningGateway, 'adminUrl'>): Promise<StateSnapshot> {
	return (await (await fetch(`${adminUrl}/api/state`)).json()) as StateSnapshot;
}

/** What it shows of the first target with a name, wherever that is. */
export async function targetOf(gateway: Pick<RunningGateway, 'adminUrl'>, name: string): Promise<TargetView> {
	const state = await stateOf(gateway);
	for (const bind of state.binds)
		for (const listener of bind.listeners)
			for (const route of listener.routes)
				for (const backend of route.backends)
					for (const target of backend.targets) if (target.name === name) return target;
	throw new Error(`no target ${name} in ${JSON.stringify(state)}`);
}
