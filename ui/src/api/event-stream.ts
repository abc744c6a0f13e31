/** The part of `EventSource` that is used, so that tests can bring their own. */
export interface EventSourceLike {
	onopen: ((event: Event) => unknown) | null;
	onerror: ((event: Event) => unknown) | null;
	readonly readyState: number;
	addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
	close(): void;
}

export type Link = 'connecting' | 'live' | 'lost';

export interface EventStreamOptions {
	open(): EventSourceLike;
	/** Gets a new cookie; false when the gateway does not answer. */
	renew(): Promise<boolean>;
	onState(text: string): void;
	onLink(link: Link): void;
}

const firstPauseMs = 500;
const longestPauseMs = 5_000;
/** `EventSource.CLOSED`: the browser has given up, as it does after a 403. */
const closed = 2;

/** Keeps one event stream open: through restarts of the gateway, with a new cookie where the old one is refused. */
export class EventStream {
	private readonly options: EventStreamOptions;
	private source: EventSourceLike | null = null;
	private timer: ReturnType<typeof setTimeout> | null = null;
	private pause = firstPauseMs;
	private over = false;

	constructor(options: EventStreamOptions) {
		this.options = options;
	}

	start(): void {
		if (this.over) return;
		const source = this.options.open();
		this.source = source;
		source.onopen = () => {
			this.pause = firstPauseMs;
			this.options.onLink('live');
		};
		source.onerror = () => {
			this.options.onLink('lost');
			if (source.readyState === closed) this.again();
		};
		source.addEventListener('state', (event) => this.options.onState(event.data));
	}

	stop(): void {
		this.over = true;
		if (this.timer !== null) clearTimeout(this.timer);
		this.source?.close();
	}

	private again(): void {
		if (this.over || this.timer !== null) return;
		this.source?.close();
		this.timer = setTimeout(() => {
			this.timer = null;
			void this.options.renew().then(() => this.start());
		}, this.pause);
		this.pause = Math.min(this.pause * 2, longestPauseMs);
	}
}
