import { type ChildProcess, spawn } from 'node:child_process';
import { Backoff } from './backoff.ts';

/**
 * Reads lines: `+ <group>` and `- <group>` for what to guard, `? <marker> …` for children that have ended: whatever
 * still carries their markers, as only what left the group can, is ended, too. When its stdin ends, the gateway is
 * gone: every group that is still on the list is ended, then, on Linux, whatever carries the marker of all in its
 * environment. That finds also what was started in the very moment in which the gateway died.
 */
const script = `
trap '' HUP INT TERM
groups=' '
strays() {
	for marker in $1; do echo "$marker"; done |
		grep -lsFf /dev/stdin /proc/[0-9]*/environ 2>/dev/null | sed 's|/proc/\\([0-9]*\\)/environ|\\1|'
}
tell() {
	for pid in $2; do kill "-$1" "$pid" 2>/dev/null; done
}
sweep() {
	pids=$(strays "$1")
	[ -z "$pids" ] && return
	tell TERM "$pids"
	sleep 2
	tell KILL "$(strays "$1")"
}
while read -r what rest; do
	case $what in
	+) groups="$groups$rest " ;;
	-) groups=\${groups%%" $rest "*}' '\${groups#*" $rest "} ;;
	'?') sweep "$rest" & ;;
	esac
done
pids=$(strays "$1")
[ -z "$groups$pids" ] || [ "$groups$pids" = ' ' ] && exit 0
for group in $groups; do kill -TERM -- "-$group" 2>/dev/null; done
tell TERM "$pids"
sleep 1
for group in $groups; do kill -KILL -- "-$group" 2>/dev/null; done
for round in 1 2 3 4 5; do
	pids=$(strays "$1")
	[ -z "$pids" ] && exit 0
	tell KILL "$pids"
	sleep 0.1 2>/dev/null || sleep 1
done
`;

/** A small shell that outlives the gateway by a second when it is killed, and takes its children along. */
export class Watchdog {
	private readonly marker: string;
	private readonly groups = new Set<number>();
	private shell: ChildProcess | null = null;
	private readonly ended: string[] = [];
	private sweep: NodeJS.Timeout | null = null;
	private again: NodeJS.Timeout | null = null;
	private readonly backoff = new Backoff(Math.random);
	/** Whether the restart without a pause has been used since one lived for long. */
	private rushed = false;

	/** `marker` is the beginning of the text `NAME=value` that all children carry in their environment. */
	constructor(marker: string) {
		this.marker = marker;
	}

	/** Starts the shell, unless it runs. To be done before anything is started that it shall know of. */
	begin(): void {
		if (this.shell === null && this.again === null && process.platform !== 'win32') this.start();
	}

	/** Puts a process group under guard. */
	guard(group: number): void {
		this.groups.add(group);
		this.tell(`+ ${group}`);
	}

	/** The group has ended. What carries `marker` all the same has left it, and is ended, too. */
	release(group: number, marker: string): void {
		if (!this.groups.delete(group)) return;
		this.tell(`- ${group}`);
		this.ended.push(marker);
		// Many ends at a time take one look through all processes.
		this.sweep ??= setTimeout(() => this.look(), sweepMs).unref();
	}

	/** Lets the shell look for strays once and end. */
	stop(): void {
		if (this.sweep !== null) clearTimeout(this.sweep);
		if (this.again !== null) clearTimeout(this.again);
		const { shell } = this;
		this.shell = null;
		shell?.stdin?.end();
	}

	private look(): void {
		this.sweep = null;
		for (let from = 0; from < this.ended.length; from += 50)
			this.tell(`? ${this.ended.slice(from, from + 50).join(' ')}`);
		this.ended.length = 0;
	}

	private start(): void {
		this.again = null;
		const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
		// A session of its own: Ctrl-C in the terminal must not end the guard before the guarded.
		let shell: ChildProcess;
		try {
			shell = spawn('/bin/sh', ['-c', script, 'agentgateway-watchdog', this.marker], {
				detached: true,
				env,
				stdio: ['pipe', 'ignore', 'ignore'],
			});
		} catch {
			// Without memory, it is thrown that there is no shell; without descriptors, it is told as an event.
			return this.later();
		}
		const startedAt = performance.now();
		shell.on('exit', () => this.lost(shell, performance.now() - startedAt));
		// Without a shell there is no guard against kill -9; everything else works.
		shell.on('error', () => this.lost(shell, 0));
		// Without descriptors, there is no pipe.
		shell.stdin?.on('error', () => {});
		shell.unref();
		this.shell = shell;
		for (const group of this.groups) this.tell(`+ ${group}`);
	}

	/** One that somebody ended is replaced at once; those that cannot live are tried again after pauses. */
	private lost(shell: ChildProcess, aliveMs: number): void {
		if (this.shell !== shell) return;
		this.shell = null;
		if (aliveMs > shortLifeMs) {
			this.rushed = false;
			this.backoff.reset();
		}
		if (this.rushed) return this.later();
		this.rushed = true;
		this.start();
	}

	private later(): void {
		this.again = setTimeout(() => this.start(), Math.min(this.backoff.next(), longestPauseMs)).unref();
	}

	private tell(line: string): void {
		this.shell?.stdin?.write(`${line}\n`);
	}
}

const shortLifeMs = 1000;
const longestPauseMs = 5000;
const sweepMs = 250;
