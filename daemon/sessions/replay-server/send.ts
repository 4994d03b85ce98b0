/** The way back to the client. */
import type { Message } from '../../protocol/message.ts';

/** Sends a message on the way a request's answer takes. */
export type Send = (message: Message) => void;
