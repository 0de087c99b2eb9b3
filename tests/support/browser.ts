import { type Browser, chromium, type Page } from 'playwright';

const ARGS = [
  '--no-sandbox',
  '--headless',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Debian's Chromium: the one that playwright would download is not needed. */
export function aBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS });
}

/** A page whose uncaught errors and policy violations are kept, so that a test can say there were none. */
export async function aPage(browser: Browser, origin: string): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ baseURL: origin, viewport: { width: 1_440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return { page, complaints };
}
