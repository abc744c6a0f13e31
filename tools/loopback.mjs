// Preloaded into servers that would listen on every interface: what names no address gets 127.0.0.1. Naming a host
// in `listen` would do the same, but only after a look-up, and the suite asks for the port at once.
import { Server } from 'node:net';

const listen = Server.prototype._listen2;
Server.prototype._listen2 = function (address, port, type, ...rest) {
	// Pipes have a type of -1 and a path where others have an address.
	if (type === -1 || (address !== null && address !== '::' && address !== '0.0.0.0')) {
		return listen.call(this, address, port, type, ...rest);
	}
	return listen.call(this, '127.0.0.1', port, 4, ...rest);
};
