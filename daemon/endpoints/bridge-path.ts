/** What the two halves of the stdio bridge agree on. Protocol v1 is frozen; a module of its own, so that the client's half loads nothing else. */

/** Path prefix of the bridge; what follows is the endpoint's path without `/mcp`. */
export const BRIDGE_PREFIX = '/bridge/v1';
/** Header of the upgrade's answer: the daemon's `limits.messageBytes`. Absent from a daemon that does not tell. */
export const MESSAGE_BYTES_HEADER = 'x-signalbox-message-bytes';
