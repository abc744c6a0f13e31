/** A result as one kind of clients reads it. */
export interface ResultForm {
	readonly text: Buffer;
	/** Tools whose output schema it shows wrapped. */
	readonly wrapped: readonly string[];
}

/** What codecs have made of a result that goes to many clients: each form is made once. */
export class ResultForms {
	private readonly made = new Map<string, ResultForm>();

	/** `kind` names the kind of clients. */
	of(kind: string, make: () => ResultForm): ResultForm {
		let form = this.made.get(kind);
		if (form === undefined) {
			form = make();
			this.made.set(kind, form);
		}
		return form;
	}
}
