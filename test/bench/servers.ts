/** Many servers with tools of everyday size. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ask } from './daemon.ts';
import type { Target } from './raw-client.ts';
import { ECHO } from './routes.ts';

/** Tools of each server: 22 of everyday size, `echo`, `progress`. */
export const TOOLS = 24;
const ARGUMENTS = [ECHO, 'stdio', '--tools', String(TOOLS - 2)];

/** The configuration of `count` stdio servers. */
export function manyServers(count: number): object {
  const entry = { command: process.execPath, args: ARGUMENTS };
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, entry]));
}

/** All pages of the tools. */
async function listed(target: Target): Promise<number> {
  let tools = 0;
  let cursor: string | undefined;
  do {
    const params = cursor === undefined ? {} : { cursor };
    const { text } = await ask(target, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params }));
    const { result } = JSON.parse(text.replace(/^[^{]*/, '')) as { result?: { tools?: unknown[]; nextCursor?: string } };
    tools += result?.tools?.length ?? 0;
    cursor = result?.nextCursor;
  } while (cursor !== undefined);
  return tools;
}

/** Asks for the tools until all are there. @returns how many times it asked, and how many tools the first answer had */
export async function everyTool(target: Target, servers: number): Promise<{ readonly asked: number; readonly first: number }> {
  let first: number | undefined;
  for (let asked = 1; ; asked++) {
    const tools = await listed(target);
    first ??= tools;
    if (tools >= servers * TOOLS) return { asked, first };
    if (asked > 600) throw new Error(`only ${tools} of ${servers * TOOLS} tools came`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts as many servers at once without anything between, initializes them and reads their tools; milliseconds until the last has answered. */
export async function startDirectly(count: number): Promise<number> {
  const begun = performance.now();
  const children = Array.from({ length: count }, () => spawn(process.execPath, ARGUMENTS, { stdio: ['pipe', 'pipe', 'inherit'] }));
  await Promise.all(
    children.map(async (child) => {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      child.stdin.write('{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}\n');
      await lines.next();
      child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n');
      await lines.next();
    }),
  );
  const ms = performance.now() - begun;
  await Promise.all(
    children.map((child) => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      return gone;
    }),
  );
  return ms;
}
