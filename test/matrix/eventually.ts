/** Tries until nothing is thrown; throws the last fault after 3 s. `expect.poll` knows only one test at a time. */
export async function eventually(check: () => unknown): Promise<void> {
	const end = Date.now() + 3000;
	for (;;) {
		try {
			await check();
			return;
		} catch (error) {
			if (Date.now() > end) throw error;
		}
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}
