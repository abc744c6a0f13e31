import { randomBytes } from 'node:crypto';

/** Secrets of one test, of which it is looked for every trace. */
export class Secrets {
	private readonly values = new Map<string, string>();

	/** A new secret. `word`: lowercase letters that say where it is kept. */
	text(word: string): string {
		return this.known(word, `canary-secret-${word}${randomBytes(6).toString('hex')}`);
	}

	/** A new key of 32 bytes in hex, which cannot be told by its looks. */
	key(word: string): string {
		return this.known(word, randomBytes(32).toString('hex'));
	}

	/** A secret that is there already. */
	known(word: string, value: string): string {
		this.values.set(word, value);
		return value;
	}

	/** Which of them a text shows, plain or in a form that anybody can undo. `but`: those that belong there. */
	in(text: string, ...but: string[]): string[] {
		return [...this.values]
			.filter(([word]) => !but.includes(word))
			.filter(([, value]) => formsOf(value).some((form) => text.includes(form)))
			.map(([word]) => word);
	}
}

function formsOf(value: string): string[] {
	const bytes = Buffer.from(value);
	const base64 = bytes.toString('base64').replace(/=+$/, '');
	const forms = [value, base64, base64.replaceAll('+', '-').replaceAll('/', '_'), bytes.toString('hex')];
	if (/^[0-9a-f]{64}$/.test(value)) forms.push(Buffer.from(value, 'hex').toString('base64').replace(/=+$/, ''));
	return forms;
}
