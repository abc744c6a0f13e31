import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { BackendsPage } from '../pages/backends/page.tsx';
import { ComponentsPage } from '../pages/components/page.tsx';
import { HomePage } from '../pages/home/page.tsx';
import { ListenersPage } from '../pages/listeners/page.tsx';
import { PlaygroundPage } from '../pages/playground/page.tsx';
import { RoutesPage } from '../pages/routes/page.tsx';
import { NotFoundPage } from './not-found.tsx';
import { Shell } from './shell.tsx';

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });

/** What stands in the address of the Playground, so that Back, reload and shared links work. */
export interface PlaygroundSearch {
	route?: string;
	tool?: string;
}

function playgroundSearch(search: Record<string, unknown>): PlaygroundSearch {
	const { route, tool } = search;
	return {
		...(typeof route === 'string' ? { route } : {}),
		...(typeof tool === 'string' ? { tool } : {}),
	};
}

const pages = [
	createRoute({ getParentRoute: () => rootRoute, path: '/', component: HomePage }),
	createRoute({ getParentRoute: () => rootRoute, path: '/listeners', component: ListenersPage }),
	createRoute({ getParentRoute: () => rootRoute, path: '/routes', component: RoutesPage }),
	createRoute({ getParentRoute: () => rootRoute, path: '/backends', component: BackendsPage }),
	createRoute({
		getParentRoute: () => rootRoute,
		path: '/playground',
		component: PlaygroundPage,
		validateSearch: playgroundSearch,
	}),
	createRoute({ getParentRoute: () => rootRoute, path: '/components', component: ComponentsPage }),
];

declare module '@tanstack/react-router' {
	interface Register {
		router: ReturnType<typeof createAppRouter>;
	}
}

export function createAppRouter() {
	return createRouter({ routeTree: rootRoute.addChildren(pages), basepath: '/ui', trailingSlash: 'preserve' });
}
