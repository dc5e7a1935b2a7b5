import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Debian's Chromium, which asks nobody on the network for anything. */
export function openBrowser(): Promise<Browser> {
  const quiet = ['--disable-quic', '--disable-background-networking', '--disable-component-update'];
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync', ...quiet];
  return chromium.launch({ executablePath: '/usr/bin/chromium', args });
}

/** How a page is looked at. */
export interface Look {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
}

/** A page that is open, and all it did beside being shown. */
export interface Shown {
  readonly page: Page;
  /** Requests for anything but the file itself, words on the console, dialogs, errors. */
  readonly deeds: string[];
}

/** Opens a file; what it asks for beside is told and not given. */
export async function show(browser: Browser, path: string, look: Look = {}): Promise<Shown> {
  const { scheme = 'light', width = 1280 } = look;
  const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 900 } });
  page.setDefaultTimeout(10_000);
  const url = pathToFileURL(path).href;
  const deeds: string[] = [];
  page.on('console', (message) => deeds.push(`console ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => deeds.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    deeds.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.route('**/*', (route) => {
    if (route.request().url() === url) return route.continue();
    deeds.push(`request: ${route.request().url()}`);
    return route.abort();
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, deeds };
}
