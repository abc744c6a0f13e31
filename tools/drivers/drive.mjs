// What a dumb client does: looks at everything, and uses one of each.

/**
 * @param {object} client of any SDK: listTools, callTool, listPrompts, getPrompt, listResources, readResource
 * @param {object} context what the suite wants to be called: toolCalls
 */
export async function drive(client, context) {
	const { tools } = await client.listTools();
	for (const call of context.toolCalls ?? callsFor(tools)) await attempt(call.name, () => client.callTool(call));
	await attempt('prompts', async () => {
		const { prompts } = await client.listPrompts();
		for (const { name } of prompts) await client.getPrompt({ name });
	});
	await attempt('resources', async () => {
		const { resources } = await client.listResources();
		for (const { uri } of resources) await client.readResource({ uri });
	});
}

function callsFor(tools) {
	// One scenario wants to see the schema of its first tool again, to know what came through.
	const echo = tools.find(({ name }) => name === 'json_schema_echo');
	if (echo !== undefined) return [{ name: echo.name, arguments: { schema: tools[0].inputSchema } }];
	return tools.map(({ name, inputSchema }) => ({ name, arguments: argumentsFor(inputSchema) }));
}

function argumentsFor({ properties = {} }) {
	const values = { number: 5, integer: 5, boolean: true, string: 'text', array: [], object: {} };
	const entries = Object.entries(properties).map(([name, { type }]) => [name, values[type] ?? 'text']);
	return Object.fromEntries(entries);
}

/** Servers of the suite have only what their scenario needs; errors are what they are. */
async function attempt(what, use) {
	try {
		await use();
	} catch (error) {
		process.stdout.write(`${what}: ${error.message}\n`);
	}
}
