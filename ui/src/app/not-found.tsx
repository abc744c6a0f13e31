import { Link } from '@tanstack/react-router';
import { EmptyState } from '../components/empty-state.tsx';
import { Page } from '../components/page.tsx';

export function NotFoundPage() {
	return (
		<Page title="There is no such page">
			<EmptyState
				title="The address may be mistyped, or of another version."
				action={
					<Link to="/" className="text-accent underline">
						Go to Home
					</Link>
				}
			/>
		</Page>
	);
}
