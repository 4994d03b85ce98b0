/** What an answer costs a model, as an estimate: characters / 4, the rule of thumb for English and JSON. */
import { isObject } from '../../protocol/message.ts';

const CHARACTERS_PER_TOKEN = 4;

/** Of a tool's answer: its content, which is what clients hand to the model; structured content only where there is no other. */
export function contentTokens(result: unknown): number {
  if (!isObject(result)) return 0;
  const { content, structuredContent } = result;
  const blocks: unknown[] = Array.isArray(content) ? content : [];
  return blocks.length === 0 && structuredContent !== undefined
    ? jsonTokens(structuredContent)
    : tokens(blocks.reduce((sum: number, block) => sum + characters(block), 0));
}

/** Of anything written as JSON. */
export function jsonTokens(value: unknown): number {
  return tokens((JSON.stringify(value) ?? '').length);
}

function tokens(length: number): number {
  return Math.ceil(length / CHARACTERS_PER_TOKEN);
}

/** Pictures and sound are not read as characters: only what stands around their data counts. */
function characters(block: unknown): number {
  if (!isObject(block)) return 0;
  if (typeof block['text'] === 'string') return block['text'].length;
  if (isObject(block['resource'])) return characters(block['resource']);
  const { data: _data, blob: _blob, ...rest } = block;
  return JSON.stringify(rest).length;
}
