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
  // A workbench that was just loaded may not listen to keys yet.
  for (let times = 0; times < 10; times++) {
    await page.keyboard.press('F1');
    const open = await palette.waitFor({ timeout: 3_000 }).then(
      () => true,
      () => false,
    );
    if (open) break;
  }
  await palette.fill(`>${title}`);
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().waitFor();
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
