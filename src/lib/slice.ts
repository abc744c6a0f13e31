/** Work of one turn of the event loop, after which others are to be served. The clock is asked each eighth time only. */
export class Slice {
	private readonly end: number;
	private asked = 0;

	/** `ms` of work; half a one by default, as what is written meanwhile leaves only afterwards, and takes several times that. */
	constructor(ms = 0.5) {
		this.end = performance.now() + ms;
	}

	/** Whether it has taken as long as it may. To be asked after, or before, each of many small things. */
	get over(): boolean {
		return (++this.asked & 7) === 0 && performance.now() >= this.end;
	}
}
