import { churn } from './entries/churn.ts';
import { deadPeer } from './entries/dead-peer.ts';
import { descriptors } from './entries/descriptors.ts';
import { hungTarget } from './entries/hung-target.ts';
import { idle } from './entries/idle.ts';
import { killedChild } from './entries/killed-child.ts';
import { mixed } from './entries/mixed.ts';
import { orphans } from './entries/orphans.ts';
import { quiet } from './entries/quiet.ts';
import { reloads } from './entries/reloads.ts';
import { slowLoris } from './entries/slow-loris.ts';
import { terminate } from './entries/terminate.ts';
import type { Soak } from './soak.ts';

/** All soaks, in the order in which they run. */
export const soaks: readonly Soak[] = [
	killedChild,
	hungTarget,
	orphans,
	idle,
	churn,
	terminate,
	reloads,
	descriptors,
	slowLoris,
	deadPeer,
	quiet,
	mixed,
];
