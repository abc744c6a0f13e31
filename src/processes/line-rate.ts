/** Lets a burst of lines through, and so many a second after it; counts those it keeps back. */
export class LineRate {
	private readonly burst: number;
	private readonly perSecond: number;
	private readonly now: () => number;
	private left: number;
	private at: number;
	private kept = 0;

	/** `now` gives milliseconds on a monotonic clock. */
	constructor(burst: number, perSecond: number, now: () => number) {
		this.burst = burst;
		this.perSecond = perSecond;
		this.now = now;
		this.left = burst;
		this.at = now();
	}

	/** null: keep the line back. Otherwise the number of lines that were kept back before it. */
	pass(): number | null {
		const now = this.now();
		this.left = Math.min(this.burst, this.left + ((now - this.at) * this.perSecond) / 1000);
		this.at = now;
		if (this.left < 1) {
			this.kept++;
			return null;
		}
		this.left--;
		const { kept } = this;
		this.kept = 0;
		return kept;
	}
}
