import type { Problem } from './ir.ts';
import { isSecretPath } from './path.ts';

const MAX_SHOWN = 100;
const MAX_WIDTH = 160;
/** A key that sounds like a secret, or a URL with a password in it. */
const SECRET_LINE = /(?:key|token|secret|passw)[\w-]*["']?\s*:|\/\/[^\s/]*@/i;

/**
 * Writes problems for a person, sorted by line: `file:line:column: path: message; remedy`. With the `text` of the file, each
 * line is quoted below with a caret, except where a secret may stand. Ends without a line break.
 */
export function renderProblems(problems: readonly Problem[], options: { color: boolean; text?: string }): string {
	const sorted = [...problems].sort((one, other) => one.line - other.line || one.column - other.column);
	const lines = options.text?.split(/\r?\n/);
	const blocks = sorted.slice(0, MAX_SHOWN).map((problem) => {
		const excerpt = lines === undefined ? '' : excerptOf(problem, lines, options.color);
		return headline(problem, options.color) + excerpt;
	});
	if (sorted.length > MAX_SHOWN) {
		blocks.push(`… and ${sorted.length - MAX_SHOWN} more`);
	}
	return blocks.join('\n');
}

function headline({ file, line, column, path, message, remedy }: Problem, color: boolean): string {
	const place = line === 0 ? file : `${file}:${line}:${column}`;
	const where = path === '' ? '' : `${path}: `;
	const what = remedy === '' ? message : `${message}; ${remedy}`;
	const [head, body] = [printable(`${place}:`), printable(`${where}`)];
	return color
		? `\u001b[1m${head}\u001b[0m ${body}\u001b[31m${printable(what)}\u001b[0m`
		: `${head} ${body}${printable(what)}`;
}

function excerptOf(problem: Problem, lines: readonly string[], color: boolean): string {
	const line = lines[problem.line - 1];
	if (
		line === undefined ||
		line.trim() === '' ||
		line.length > MAX_WIDTH ||
		isSecretPath(problem.path) ||
		SECRET_LINE.test(line)
	) {
		return '';
	}
	const number = String(problem.line).padStart(5);
	// Tabs before the caret are kept, so that it stands under its character.
	const indent = line.slice(0, problem.column - 1).replace(/[^\t]/g, ' ');
	const text = `\n${number} | ${printable(line)}\n${' '.repeat(number.length)} | ${indent}^`;
	return color ? `\u001b[2m${text}\u001b[0m` : text;
}

/** Control characters could move the cursor of the terminal or fake further lines. */
function printable(text: string): string {
	return text.replace(/[^\P{Cc}\t]/gu, '\ufffd');
}
