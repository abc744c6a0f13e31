/** A `fetch` that tells when the stream of a session has been opened, which the SDKs do behind the caller's back. */
export function watchingGet(): { fetch: typeof fetch; opened: Promise<void> } {
	let open = () => {};
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	return {
		opened,
		fetch: async (input, init) => {
			const response = await fetch(input, init);
			if (init?.method === 'GET') open();
			return response;
		},
	};
}
