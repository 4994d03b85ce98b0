/** The clients that can be wired: one row, one file each. */
import type { WirableClient } from './client.ts';
import { claudeCode } from './clients/claude-code.ts';
import { claudeDesktop } from './clients/claude-desktop.ts';
import { codex } from './clients/codex.ts';
import { copilot } from './clients/copilot.ts';
import { cursor } from './clients/cursor.ts';
import { gemini } from './clients/gemini.ts';
import { vscode } from './clients/vscode.ts';
import { windsurf } from './clients/windsurf.ts';
import { zed } from './clients/zed.ts';

/** Every client Signalbox can wire. */
export const WIRABLE_CLIENTS: readonly WirableClient[] = [claudeCode, vscode, cursor, codex, gemini, copilot, zed, windsurf, claudeDesktop];
