import type { Topic } from './requirement.ts';
import { asking } from './topics/asking.ts';
import { errors } from './topics/errors.ts';
import { fidelity } from './topics/fidelity.ts';
import { lifecycle } from './topics/lifecycle.ts';
import { prompts } from './topics/prompts.ts';
import { resources } from './topics/resources.ts';
import { running } from './topics/running.ts';
import { tools } from './topics/tools.ts';

/** All that is required, in the order of docs/protocol-support.md. */
export const topics: readonly Topic[] = [lifecycle, tools, prompts, resources, running, asking, errors, fidelity];
