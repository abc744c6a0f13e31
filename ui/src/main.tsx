import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { applyTheme, storedTheme } from './app/theme.ts';
import { createAppRouter } from './app/router.tsx';
import { LiveStateProvider } from './api/live-state.tsx';
import './styles.css';

// Styles that libraries put into the page carry the nonce of its Content-Security-Policy.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
Object.assign(globalThis, { __webpack_nonce__: nonce });
applyTheme(storedTheme());

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
const queries = new QueryClient({ defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false } } });

createRoot(root).render(
	<StrictMode>
		<QueryClientProvider client={queries}>
			<LiveStateProvider>
				<RouterProvider router={createAppRouter()} />
			</LiveStateProvider>
		</QueryClientProvider>
	</StrictMode>,
);
