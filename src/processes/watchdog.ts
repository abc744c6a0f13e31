import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads `+ <group>` and `- <group>` lines. When its stdin ends, the gateway is gone: every group that is still on the
 * list is ended, then, on Linux, whatever left its group but still carries the marker in its environment.
 */
const script = `
trap '' HUP INT TERM
groups=' '
while read -r what group; do
	case $what in
	+) groups="$groups$group " ;;
	-) groups=\${groups%%" $group "*}' '\${groups#*" $group "} ;;
	esac
done
strays() { grep -ls "$1" /proc/[0-9]*/environ 2>/dev/null | sed 's|/proc/\\([0-9]*\\)/environ|\\1|'; }
pids=$(strays "$1")
[ -z "$groups$pids" ] || [ "$groups$pids" = ' ' ] && exit 0
for group in $groups; do kill -TERM -- "-$group" 2>/dev/null; done
for pid in $pids; do kill -TERM "$pid" 2>/dev/null; done
sleep 1
for group in $groups; do kill -KILL -- "-$group" 2>/dev/null; done
for pid in $(strays "$1"); do kill -KILL "$pid" 2>/dev/null; done
`;

/** A small shell that outlives the gateway by a second when it is killed, and takes its children along. */
export class Watchdog {
	private readonly marker: string;
	private readonly groups = new Set<number>();
	private shell: ChildProcess | null = null;

	/** `marker` is the text `NAME=value` that all children carry in their environment. */
	constructor(marker: string) {
		this.marker = marker;
	}

	/** Puts a process group under guard. Starts the shell when it is the first. */
	guard(group: number): void {
		this.groups.add(group);
		if (this.shell === null) this.start();
		else this.tell(`+ ${group}`);
	}

	/** The group has ended. */
	release(group: number): void {
		if (this.groups.delete(group)) this.tell(`- ${group}`);
	}

	/** Lets the shell look for strays once and end. */
	stop(): void {
		const { shell } = this;
		this.shell = null;
		shell?.stdin?.end();
	}

	private start(): void {
		const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
		// A session of its own: Ctrl-C in the terminal must not end the guard before the guarded.
		const shell = spawn('/bin/sh', ['-c', script, 'agentgateway-watchdog', this.marker], {
			detached: true,
			env,
			stdio: ['pipe', 'ignore', 'ignore'],
		});
		const startedAt = performance.now();
		shell.on('exit', () => this.lost(shell, performance.now() - startedAt));
		// Without a shell there is no guard against kill -9; everything else works.
		shell.on('error', () => this.lost(shell, 0));
		shell.stdin.on('error', () => {});
		shell.unref();
		this.shell = shell;
		for (const group of this.groups) this.tell(`+ ${group}`);
	}

	/** One that somebody ended is replaced at once; one that cannot live is tried again with the next group. */
	private lost(shell: ChildProcess, aliveMs: number): void {
		if (this.shell !== shell) return;
		this.shell = null;
		if (aliveMs > shortLifeMs && this.groups.size > 0) this.start();
	}

	private tell(line: string): void {
		this.shell?.stdin?.write(`${line}\n`);
	}
}

const shortLifeMs = 1000;
