import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The files that run the servers of the protocol's makers. */
export const filesystemServer = require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js');
export const memoryServer = require.resolve('@modelcontextprotocol/server-memory/dist/index.js');
export const thinkingServer = require.resolve('@modelcontextprotocol/server-sequential-thinking/dist/index.js');
