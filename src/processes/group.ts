import { readdirSync, readFileSync } from 'node:fs';

/** A process group, known by the pid of its leader. */
export class ProcessGroup {
	private readonly leader: number;

	constructor(leader: number) {
		this.leader = leader;
	}

	/** False when nobody of the group is left. Signal 0 only asks. */
	signal(signal: NodeJS.Signals | 0): boolean {
		try {
			// Windows has no groups; there, at least the leader ends.
			return process.kill(process.platform === 'win32' ? this.leader : -this.leader, signal);
		} catch {
			// ESRCH: nobody of the group is left, which is what was wanted.
			return false;
		}
	}

	/** Ends whoever is left: SIGTERM, and SIGKILL after `patienceMs`. Resolves when the group is empty. */
	async end(patienceMs: number): Promise<void> {
		if (!this.signal('SIGTERM') || (await this.emptyWithin(patienceMs))) return;
		this.signal('SIGKILL');
		await this.emptyWithin(lastPatienceMs);
	}

	/** No event tells of the end of a group, so it is asked, soon and then ever less often. */
	private async emptyWithin(ms: number): Promise<boolean> {
		const until = performance.now() + ms;
		for (let pause = 5; performance.now() < until; pause = Math.min(2 * pause, 160)) {
			await new Promise((resolve) => setTimeout(resolve, pause));
			if (!this.signal(0) || (pause >= 40 && this.onlyZombies())) return true;
		}
		return false;
	}

	/**
	 * Orphans that have ended count as alive until process 1 takes note, which in a container may be the gateway itself
	 * or a command that never does. False where there is no /proc.
	 */
	private onlyZombies(): boolean {
		let zombies = 0;
		for (const entry of processEntries()) {
			const stat = statOf(entry);
			if (stat?.group !== this.leader) continue;
			if (stat.state !== 'Z' && stat.state !== 'X') return false;
			zombies++;
		}
		return zombies > 0;
	}
}

const lastPatienceMs = 500;

function processEntries(): string[] {
	try {
		return readdirSync('/proc').filter((name) => name.charCodeAt(0) <= 0x39);
	} catch {
		return [];
	}
}

/** proc(5): `pid (name) state ppid pgrp …`, where the name may hold anything. */
function statOf(entry: string): { state: string; group: number } | null {
	try {
		const text = readFileSync(`/proc/${entry}/stat`, 'latin1');
		const [state = '', , group] = text.slice(text.lastIndexOf(')') + 2).split(' ', 3);
		return { state, group: Number(group) };
	} catch {
		// It has ended since the folder was read.
		return null;
	}
}
