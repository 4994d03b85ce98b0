/**
 * The message of an error is one concise sentence (schema.ts of both revisions, `Error.message`); the SDK repeats what a client sent in it,
 * however long that is.
 */
import type { Check } from '../checkpoint.ts';

/** Characters kept of a longer message: what it says stands at its beginning, what to do about it at its end. */
const BEGINNING = 400;
const END = 200;

/** Takes the middle out of messages that are too long. */
export const checkMessages: Check = () => ({
  answer(answer) {
    if (!('error' in answer) || answer.error.message.length <= BEGINNING + END) return answer;
    const { message } = answer.error;
    return { ...answer, error: { ...answer.error, message: `${message.slice(0, BEGINNING)} … ${message.slice(-END)}`.toWellFormed() } };
  },
});
