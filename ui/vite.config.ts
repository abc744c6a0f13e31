import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
	base: '/ui/',
	plugins: [react(), tailwindcss()],
	build: {
		outDir: '../dist/ui',
		emptyOutDir: true,
		sourcemap: false,
		// The page's policy allows no data: fonts or scripts.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
	},
});
