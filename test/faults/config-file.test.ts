import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { fixtureTarget, until } from '../processes/children.ts';
import { type EditedGateway, editGateway, fileOf, routeTo } from '../reload/edited-gateway.ts';

let gateway: EditedGateway | null = null;
afterEach(async () => {
	await gateway?.end();
	gateway = null;
});

const good = fileOf([routeTo('/a', [fixtureTarget('kept')])]);

/** Takes descriptors when told to, all but `left` of them, and gives them back. Threads load it, too. */
const takeDescriptors = `data:text/javascript,${encodeURIComponent(`
	const fs = process.getBuiltinModule('node:fs');
	const taken = [];
	process.on('message', (left) => {
		for (const fd of taken.splice(0)) fs.closeSync(fd);
		if (left < 0) return;
		try {
			for (;;) taken.push(fs.openSync('/dev/null'));
		} catch {}
		for (const fd of taken.splice(0, left)) fs.closeSync(fd);
	});
	process.channel?.unref();
`)}`;

test.skipIf(process.platform === 'win32').each([
	['descriptor', 0, /cannot be read: EMFILE/],
	['thread', 2, /could not be read to its end: .*EMFILE/],
])('a change that comes while no %s is left is read when there is one', async (_what, left, message) => {
	const one = await editGateway(good, {
		shell: 'ulimit -n 128',
		nodeArgs: ['--import', takeDescriptors],
		ipc: true,
		allow: /EMFILE/,
	});
	gateway = one;
	// The thread of the start goes after two seconds.
	await new Promise((resolve) => setTimeout(resolve, 2500));
	one.process.send(left);
	await one.waitFor(/requests are refused: descriptors/, 10_000);
	writeFileSync(one.file, fileOf([routeTo('/a', [fixtureTarget('kept')]), routeTo('/b', [fixtureTarget('kept')])]));
	await one.waitFor(/Failed to reload config/, 5000);
	expect(one.log()).toMatch(message);
	one.process.send(-1);
	await until('the change is in effect', 15_000, async () => (await one.config()).synchronized);
	const found = await fetch(`${one.url()}/b`, { method: 'DELETE' });
	expect(found.status).not.toBe(404);
	expect(one.log().match(/Failed to reload config/g)).toHaveLength(1);
});
