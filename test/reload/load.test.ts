import { expect, test } from 'vitest';
import { reloadUnderLoad } from '../soak/reload.ts';

test('reloads under load fail no call and lose no stream of a route that stays', async () => {
	const figures = await reloadUnderLoad({ reloads: 5, rate: 100, streams: 50 });
	expect(figures.failed).toEqual([]);
	expect(figures).toMatchObject({ lost: 0, processes: 2 });
	expect(figures.calls).toBeGreaterThan(50);
}, 60_000);
