/** A moment as a clock on the wall of a time zone shows it. */
export interface WallClock {
	readonly year: number;
	readonly month: number;
	readonly day: number;
	readonly hour: number;
	readonly minute: number;
	readonly second: number;
}

/** An IANA time zone with the questions that the tools ask of it. */
export class Zone {
	readonly name: string;
	private readonly format: Intl.DateTimeFormat;

	private constructor(name: string, format: Intl.DateTimeFormat) {
		this.name = name;
		this.format = format;
	}

	/** null when there is no such zone. Keys are case-sensitive, as in the IANA database. */
	static find(name: string): Zone | null {
		try {
			const format = new Intl.DateTimeFormat('en-US', { ...fields, timeZone: name });
			const known = format.resolvedOptions().timeZone;
			// Intl takes any case and answers with the right one; aliases come back under another name altogether.
			if (known !== name && known.toLowerCase() === name.toLowerCase()) return null;
			return /^[A-Za-z]/.test(name) ? new Zone(name, format) : null;
		} catch {
			return null;
		}
	}

	wallClock(at: Date): WallClock {
		const parts = new Map(this.format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
		const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
		return {
			year: part('year'),
			month: part('month'),
			day: part('day'),
			hour: part('hour') % 24,
			minute: part('minute'),
			second: part('second'),
		};
	}

	/** Minutes east of UTC at a moment. */
	offset(at: Date): number {
		return Math.round((asUtc(this.wallClock(at)) - Math.floor(at.getTime() / 1000) * 1000) / 60_000);
	}

	/** Whether the clock is ahead of the zone's standard time, the smaller offset of January and July. */
	isDst(at: Date): boolean {
		const year = this.wallClock(at).year;
		const winter = this.offset(new Date(Date.UTC(year, 0, 1)));
		const summer = this.offset(new Date(Date.UTC(year, 6, 1)));
		return this.offset(at) > Math.min(winter, summer);
	}

	/** The moment at which the wall shows `clock`, the first of two; null when the wall skips it. */
	momentOf(clock: WallClock): Date | null {
		const wanted = asUtc(clock);
		const around = [-1440, 1440].map((minutes) => this.offset(new Date(wanted + minutes * 60_000)));
		const moments = around
			.map((offset) => new Date(wanted - offset * 60_000))
			.sort((a, b) => a.getTime() - b.getTime());
		return moments.find((moment) => asUtc(this.wallClock(moment)) === wanted) ?? null;
	}
}

const fields: Intl.DateTimeFormatOptions = {
	calendar: 'gregory',
	numberingSystem: 'latn',
	hourCycle: 'h23',
	year: 'numeric',
	month: 'numeric',
	day: 'numeric',
	hour: 'numeric',
	minute: 'numeric',
	second: 'numeric',
};

function asUtc(clock: WallClock): number {
	return Date.UTC(clock.year, clock.month - 1, clock.day, clock.hour, clock.minute, clock.second);
}
