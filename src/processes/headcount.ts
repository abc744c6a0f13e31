/** Whose a process is: what limits count by. */
export interface Belonging {
	readonly label: string;
	/** Whoever it is started for; null for the gateway itself, or for all. */
	readonly owner: string | null;
}

/** How many processes there are, in all, with one label and of one owner. */
export class Headcount {
	total = 0;
	private readonly labels = new Map<string, number>();
	private readonly owners = new Map<string, number>();

	add({ label, owner }: Belonging): void {
		this.total++;
		this.labels.set(label, this.ofLabel(label) + 1);
		if (owner !== null) this.owners.set(owner, this.ofOwner(owner) + 1);
	}

	ofLabel(label: string): number {
		return this.labels.get(label) ?? 0;
	}

	ofOwner(owner: string): number {
		return this.owners.get(owner) ?? 0;
	}
}
