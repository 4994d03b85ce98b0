/** What a person does in the workbench, in words. */
import type { FrameLocator, Locator, Page } from 'playwright-core';

/** A row of a tree that contains all the words. */
export function row(page: Page, ...words: readonly string[]): Locator {
  return words.reduce((rows, word) => rows.filter({ hasText: word }), page.locator('.pane-body .monaco-list-row'));
}

/** The text field of whatever quick input is open. */
export function quickInput(page: Page): Locator {
  return page.locator('.quick-input-widget:visible input[type=text]');
}

/** Runs a command through the palette. */
export async function command(page: Page, title: string): Promise<void> {
  const palette = page.locator('.quick-input-widget:visible input[placeholder*="name of a command"]');
  const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
  // A workbench that was just loaded may not listen to keys yet, and a view that takes the focus closes the palette.
  for (let times = 1; ; times++) {
    await page.keyboard.press('F1');
    try {
      await palette.fill(`>${title}`, { timeout: 4_000 });
      await entry.waitFor({ timeout: 4_000 });
      break;
    } catch (error) {
      if (times === 10) throw error;
    }
  }
  await page.keyboard.press('Enter');
}

/** Picks the entry that contains the words from a quick pick. */
export async function pick(page: Page, words: string): Promise<void> {
  const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: words }).first();
  await entry.click();
}

/** Shows the Signalbox side bar; a click on the icon of what is shown would hide it. */
export async function openSideBar(page: Page): Promise<void> {
  const icon = page.locator('.activitybar .action-item', { has: page.locator('a.action-label[aria-label="Signalbox"]') });
  if (!((await icon.getAttribute('class')) ?? '').includes('checked')) await icon.click();
}

/** A toast that contains the words. */
export function toast(page: Page, words: string): Locator {
  return page.locator('.notifications-toasts .notification-list-item', { hasText: words });
}

/** Presses a button of a toast. */
export async function answer(page: Page, words: string, button: string | RegExp): Promise<void> {
  await toast(page, words).locator('.monaco-button', { hasText: button }).first().click();
}

/** The document inside the webview that is in front. */
export function webview(page: Page): FrameLocator {
  return page.locator('iframe.webview.ready:visible').first().contentFrame().locator('#active-frame').contentFrame();
}
