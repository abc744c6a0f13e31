import { configJsonSchema } from '../config/json-schema.ts';

/** `agentgateway schema`: the JSON Schema of the configuration, for YAML editors. */
export function printSchema(): number {
	process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
	return 0;
}
