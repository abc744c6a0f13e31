import { isScanFault, type Member, scanJson } from '../../lib/json-scan.ts';
import type { Latest } from '../../lib/latest.ts';
import { splice } from '../../lib/splice.ts';
import type { Findings } from './findings.ts';
import { announces, isChangeOf, type ListKind, listKinds } from './list-kind.ts';
import type { Ask, Call, McpError, Notice, Result, Sink, Ticket } from '../model.ts';
import { ResultForms } from '../result-forms.ts';
import type { Leg } from '../legs/leg.ts';

/** Even a list whose server announces changes is asked for again after this time. */
const longestTrustMs = 60_000;

/**
 * The lists of the one target that a client sees as it is: the answer to a list call is given again for as long as it is
 * known to hold. That is while the server announces changes, is listened to without a gap, and has announced none; or
 * for the time that the server gave.
 */
export class KeptLists {
	private readonly answers: Latest<KeptAnswer>;
	private readonly findings: Pick<Findings, 'faults' | 'names'>;
	private readonly kept = new Map<string, Kept>();
	/** Counts changes: an answer that was on its way while one came is not kept. */
	private changes = 0;

	/** `answers` that other clients have; `findings` hear which lists are there. */
	constructor(answers: Latest<KeptAnswer>, findings: Pick<Findings, 'faults' | 'names'>) {
		this.answers = answers;
		this.findings = findings;
	}

	/** Answers a list call, by `send` where nothing is kept. */
	list(kind: ListKind, leg: Leg, call: Call, sink: Sink, send: (sink: Sink) => Ticket): Ticket {
		if (!isPlain(call)) return send(sink);
		const kept = this.kept.get(kind.method);
		const now = performance.now();
		if (kept !== undefined && kept.holds(leg, kind, now)) {
			sink.done(kept.answer(now));
			return nothingToCancel;
		}
		return send(new Keeping(sink, this, this.changes, leg, kind, now));
	}

	/** Keeps an answer that was asked for at `askedAt`, after so many changes. */
	keep(result: Result, changes: number, leg: Leg, kind: ListKind, askedAt: number): Result {
		this.findings.faults.clear(leg.target.name, kind);
		this.findings.names.pass(kind, leg.target.name, result.text);
		if (changes !== this.changes || result.type !== 'complete') return result;
		const kept = new Kept(this.answer(result, leg, kind), leg.upstream, askedAt);
		if (!kept.holds(leg, kind, askedAt)) return result;
		this.kept.set(kind.method, kept);
		return kept.answer(askedAt);
	}

	/** The server has failed to give it. */
	failed(error: McpError, leg: Leg, kind: ListKind): void {
		this.findings.faults.came(leg.target.name, kind, error);
	}

	private answer(result: Result, leg: Leg, kind: ListKind): KeptAnswer {
		const key = `${leg.target.name}\n${kind.method}`;
		const known = this.answers.get(key);
		if (known?.text.equals(result.text) === true) return known;
		const answer = new KeptAnswer(result);
		this.answers.set(key, answer);
		return answer;
	}

	/** Hears a notification of the target. */
	noted(method: string): void {
		for (const kind of Object.values(listKinds)) if (isChangeOf(kind, method)) this.clear();
	}

	clear(): void {
		this.changes++;
		this.kept.clear();
	}
}

/** A first page, with nothing that concerns only this call. */
function isPlain({ params, meta, edits, wantsProgress, inputs }: Call): boolean {
	if (wantsProgress || inputs !== null || meta.length > 0 || edits.length > 0) return false;
	return params.members?.every(({ key }) => key === '_meta') === true;
}

class Kept {
	private readonly page: KeptAnswer;
	private readonly upstream: Leg['upstream'];
	private readonly askedAt: number;

	constructor(page: KeptAnswer, upstream: Leg['upstream'], askedAt: number) {
		this.page = page;
		this.upstream = upstream;
		this.askedAt = askedAt;
	}

	holds(leg: Leg, kind: ListKind, now: number): boolean {
		if (this.upstream === null || leg.upstream !== this.upstream || leg.state !== 'ready' || leg.server === null)
			return false;
		const age = now - this.askedAt;
		if (age < this.page.ttl) return true;
		const heardSince = this.upstream.hearsSince ?? null;
		if (age >= longestTrustMs || heardSince === null || heardSince > this.askedAt) return false;
		return announces(leg.server, kind);
	}

	answer(now: number): Result {
		return this.page.after(now - this.askedAt);
	}
}

/** An answer of a server, for those who come later, too. */
export class KeptAnswer {
	readonly text: Buffer;
	/** Milliseconds that it holds by its own word; 0 when it says nothing. */
	readonly ttl: number;
	private readonly result: Result;
	private readonly ttlAt: Member | null;
	private last: { readonly rest: number; readonly result: Result } | null = null;

	constructor(result: Result) {
		this.text = result.text;
		this.result = { text: result.text, type: result.type, stamped: result.stamped, forms: new ResultForms() };
		this.ttlAt = result.stamped ? memberOf(result.text, 'ttlMs') : null;
		const { ttlAt } = this;
		const ttl = ttlAt === null ? 0 : Number(result.text.toString('latin1', ttlAt.start, ttlAt.end));
		this.ttl = Number.isSafeInteger(ttl) && ttl > 0 ? ttl : 0;
	}

	/** The answer as it is after so many milliseconds: what is left of its time is told in whole seconds. */
	after(age: number): Result {
		const { ttlAt, result } = this;
		if (ttlAt === null || this.ttl === 0 || age <= 0) return result;
		const left = Math.max(0, Math.floor(this.ttl - age));
		const rest = left < 10_000 ? left : left - (left % 1000);
		if (this.last?.rest !== rest) {
			const text = splice(this.text, [{ start: ttlAt.start, end: ttlAt.end, text: String(rest) }]);
			this.last = { rest, result: { ...result, text, forms: new ResultForms() } };
		}
		return this.last.result;
	}
}

function memberOf(text: Buffer, key: string): Member | null {
	const scanned = scanJson(text, {});
	return isScanFault(scanned) ? null : (scanned.members?.find((member) => member.key === key) ?? null);
}

/** Hands a list on to its client and keeps it. */
class Keeping implements Sink {
	private readonly sink: Sink;
	private readonly lists: KeptLists;
	private readonly changes: number;
	private readonly leg: Leg;
	private readonly kind: ListKind;
	private readonly askedAt: number;

	constructor(sink: Sink, lists: KeptLists, changes: number, leg: Leg, kind: ListKind, askedAt: number) {
		this.sink = sink;
		this.lists = lists;
		this.changes = changes;
		this.leg = leg;
		this.kind = kind;
		this.askedAt = askedAt;
	}

	note(notice: Notice): void {
		this.sink.note(notice);
	}

	ask(ask: Ask): void {
		this.sink.ask(ask);
	}

	paused(): void {
		this.sink.paused?.();
	}

	done(result: Result): void {
		this.sink.done(this.lists.keep(result, this.changes, this.leg, this.kind, this.askedAt));
	}

	fail(error: McpError): void {
		this.lists.failed(error, this.leg, this.kind);
		this.sink.fail(error);
	}
}

const nothingToCancel: Ticket = { cancel() {} };
