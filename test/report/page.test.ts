import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { printable } from '../../src/printable.ts';
import { page as pageOf } from '../../src/report/page/page.ts';
import { type Look, openBrowser, show, type Shown } from '../support/browser.ts';
import { lineside } from '../support/program.ts';
import { foreign, hostile } from './hostile.ts';
import { audited, findingOf, reportOf, textOf } from './made-up.ts';
import { certify, type End, shift } from './shift.ts';

/*
 * The page in a real browser: that of a station that worked two days and was certified, and one whose every word means
 * harm. The files lie in memory, where a commit costs nothing.
 */

const workshop = join('/dev/shm', `lineside-report-${process.pid}`);
const at = (name: string) => join(workshop, name);
const texts = [...Object.values(hostile), ...Object.values(foreign)];
let browser: Browser;

beforeAll(async () => {
  await mkdir(workshop, { mode: 0o700 });
  const [opened] = await Promise.all([openBrowser(), writePages()]);
  browser = opened;
});
afterAll(async () => {
  await browser.close();
  await rm(workshop, { recursive: true });
});

async function writePages(): Promise<void> {
  await writeFile(
    at('hostile.html'),
    await textOf(pageOf(reportOf(texts, '<i>"&'), audited(...texts.map(findingOf)))),
  );
  await writeFile(at('empty.html'), await textOf(pageOf(reportOf([]), audited())));
  await workTwoDays();
  await certify(workshop, at('st07'));
  const { code, stderr } = await lineside(['--station', at('st07'), 'report', at('station.html')]);
  if (code !== 0) throw new Error(stderr);
}

/** 24 units of yesterday and the day before: every eighth is void, one is in doubt. */
async function workTwoDays(): Promise<void> {
  const day = 86_400_000;
  const first = Math.floor(Date.now() / day - 2) * day + day / 4;
  const line = await shift(at('st07'), new Date(first));
  const causes = ['write-failed', 'dropped: <b>bent</b> =1+1 😀', 'לוח פגום'];
  for (let n = 0; n < 24; n += 1) {
    const begin = new Date(first + Math.floor(n / 12) * day + (n % 12) * 1_200_000);
    const end: End =
      n === 20
        ? { kind: 'in doubt', after: 'flashing' }
        : n % 8 === 3
          ? { kind: 'void', after: 'flashing', reason: causes[(n - 3) / 8] ?? '' }
          : { kind: 'good' };
    await line.make(begin, 7 + (n % 3), 'abc'[n % 3] ?? '', end);
  }
  await line.close();
}

/**
 * One page for each file and scheme, all of it open but the histories of units that only repeat the first two of their
 * kind; a test that changes a page opens its own.
 */
const views = new Map<string, Promise<Shown>>();
function view(name: string, scheme: 'light' | 'dark' = 'light'): Promise<Shown> {
  const key = `${name} ${scheme}`;
  const opened = views.get(key) ?? openUp(name, scheme);
  views.set(key, opened);
  return opened;
}

async function openUp(name: string, scheme: 'light' | 'dark'): Promise<Shown> {
  const shown = await show(browser, at(name), { scheme });
  const some = 'details:not(.unit), .unit:nth-of-type(-n + 2)';
  await shown.page.evaluate(`document.querySelectorAll('${some}').forEach((each) => { each.open = true; })`);
  return shown;
}

async function alone(name: string, look: Look = {}): Promise<Page> {
  return (await show(browser, at(name), look)).page;
}

describe('the page does nothing but be read', () => {
  test.each(['station.html', 'hostile.html', 'empty.html'])(
    '%s asks for nothing, runs nothing and has nothing to complain of',
    async (name) => {
      const { page, deeds } = await view(name);
      await page.mouse.move(200, 200);
      expect(deeds).toEqual([]);
    },
  );

  const harm = '<img src="http://evil.invalid/x" onerror="alert(1)"><script>alert(2)</script>';

  test('and if it let markup in, this test would see it', async () => {
    const page = await readFile(at('hostile.html'), 'utf8');
    const open = page.replace(/<meta http-equiv[^>]*>/, '').replace('<main', `${harm}<main`);
    await writeFile(at('open.html'), open);
    const { deeds } = await show(browser, at('open.html'));
    expect(deeds).toContain('request: http://evil.invalid/x');
    expect(deeds).toContain('dialog: 2');
  });

  test('and even then its policy would let nothing run or leave', async () => {
    const page = await readFile(at('hostile.html'), 'utf8');
    await writeFile(at('held.html'), page.replace('<main', `${harm}<style>body{display:none}</style><main`));
    const { page: held, deeds } = await show(browser, at('held.html'));
    expect(deeds.filter((deed) => !deed.startsWith('console error'))).toEqual([]);
    expect(deeds.length).toBeGreaterThan(0);
    expect(await held.evaluate('getComputedStyle(document.body).display')).toBe('block');
  });
});

describe('text stays text', () => {
  test('whatever it says, it stands there letter by letter', async () => {
    const { page } = await view('hostile.html');
    const told = await page.locator('#units bdi').allTextContents();
    for (const text of texts) expect(told).toContain(printable(text));
    expect(told).toContain('<i>"&');
  });

  test('and makes no element and no attribute', async () => {
    const { page } = await view('hostile.html');
    const foreignElements =
      'script, img, iframe, object, embed, link, form, input, i, [onerror], [onmouseover], [onfocus]';
    expect(await page.locator(foreignElements).count()).toBe(0);
  });

  test('an operator reads the same words that were typed at the station', async () => {
    const { page } = await view('station.html');
    await expect(page.locator('#faults bdi').allTextContents()).resolves.toEqual(
      expect.arrayContaining(['write-failed', 'dropped: <b>bent</b> =1+1 😀', 'לוח פגום']),
    );
  });
});

describe('everybody can read it', () => {
  test.each([
    ['station.html', 'light', '{}'],
    ['station.html', 'dark', '{ runOnly: ["color-contrast"] }'],
    ['empty.html', 'light', '{}'],
  ] as const)('axe finds nothing to object to in %s when it is %s', async (name, scheme, rules) => {
    const { page } = await view(name, scheme);
    await page.evaluate(axe.source);
    const { violations, incomplete } = await page.evaluate<AxeResults>(`axe.run(${rules})`);
    const found = [...violations, ...incomplete].map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
    expect(found).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('bars stand out from the ground when it is %s', async (scheme) => {
    const { page } = await view('station.html', scheme);
    const ground = await styleOf(page, 'body', 'background-color');
    for (const kind of ['good', 'void']) {
      const bar = await styleOf(page, `.plot svg.${kind} rect`, 'fill');
      expect(contrast(bar, ground)).toBeGreaterThan(3);
    }
  });

  test('a keyboard gets everywhere: past the contents, into a unit, and always seen', async () => {
    const page = await alone('station.html');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toMatchObject({ text: 'Skip to the report', outlined: true, inView: true });
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toMatchObject({ section: 'summary' });
    const stops: Focus[] = [];
    for (let at = await focused(page); at.section !== ''; at = await focused(page)) {
      stops.push(at);
      if (at.text.startsWith('ABCD1003')) break;
      await page.keyboard.press('Tab');
    }
    expect(stops.filter(({ outlined, inView }) => !outlined || !inView)).toEqual([]);
    const sections = [...new Set(stops.map(({ section }) => section))];
    expect(sections).toEqual([
      'summary',
      'production',
      'faults',
      'doubts',
      'ids',
      'log',
      'audit',
      'events',
      'units',
    ]);
    await page.keyboard.press('Enter');
    expect(await page.locator('#unit-ABCD1003').isVisible()).toBe(true);
  });

  test('every entry of the contents leads to a part of the page, in its order', async () => {
    const { page } = await view('station.html');
    const targets = await page
      .locator('nav a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    const parts = await page
      .locator('main > section')
      .evaluateAll((found) => found.map(({ id }) => `#${id}`));
    expect(targets).toEqual(parts);
  });

  test('a unit in doubt is one step from its history', async () => {
    const page = await alone('station.html');
    expect(await page.locator('#unit-ABCD1014').isVisible()).toBe(false);
    await page.locator('#doubts a').first().click();
    expect(await page.locator('#unit-ABCD1014').isVisible()).toBe(true);
    expect(await page.locator('#unit-ABCD1014 li').allTextContents()).toHaveLength(3);
  });

  test.each(['station.html', 'hostile.html'])(
    'nothing of %s is cut off on a screen of any width',
    async (name) => {
      const { page } = await view(name);
      const wide: number[] = [];
      for (const width of [320, 600, 1280, 2560]) {
        await page.setViewportSize({ width, height: 900 });
        wide.push(await page.evaluate<number>('document.documentElement.scrollWidth'));
      }
      expect(wide).toEqual([320, 600, 1280, 2560]);
    },
  );
});

describe('what is drawn', () => {
  test('is in the table beside it, and both are what the log says', async () => {
    const { page } = await view('station.html');
    const bars = async (kind: string) => {
      const titles = await page.locator(`#plot-${kind} ~ svg rect title`).allTextContents();
      return titles.reduce((sum, title) => sum + Number(title.split(': ')[1]), 0);
    };
    const rows = await page
      .locator('#production tbody tr')
      .evaluateAll((found) =>
        found.map((row) => [...row.querySelectorAll('td')].map(({ textContent }) => Number(textContent))),
      );
    const sum = (column: number) => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
    expect([await bars('good'), await bars('void')]).toEqual([20, 3]);
    expect([sum(0), sum(1)]).toEqual([20, 3]);
    const tiles = await page.locator('.tiles b').allTextContents();
    expect(tiles.slice(0, 4)).toEqual(['86.9 %', '20', '3', '1']);
  });

  test('has a name and a description', async () => {
    const { page } = await view('station.html');
    for (const id of ['plot-good', 'plot-void']) {
      const drawing = page.locator(`#${id} ~ svg`);
      expect(await drawing.getAttribute('role')).toBe('img');
      expect(await page.locator(`#${id}-says`).textContent()).toMatch(
        /bars?, one for each .+: \d+ units? in all/,
      );
    }
  });
});

test('the witness of the log is told, with what came after it', async () => {
  const { page } = await view('station.html');
  const log = (await page.locator('#log').textContent()) ?? '';
  expect(log).toContain('yes: the log still begins with it');
  expect(log).toMatch(/Not witnessed yet\s*43 /); // two batches, that one was written, and two entries for each of 20 units
  expect(await page.locator('#log pre').first().textContent()).toMatch(/^lineside\/st07\/1\n\d+\n/);
});

test('a certified unit has the serial number of its certificate', async () => {
  const { page } = await view('station.html');
  const unit = page.locator('.unit', { hasText: 'ABCD1000' });
  expect(await unit.locator('p').textContent()).toMatch(/serial number [0-9A-F]{32}$/);
});

describe('on paper', () => {
  test('it has pages, each table its head on each of them, and the contents none', async () => {
    const page = await alone('station.html', { scheme: 'dark' });
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(3);
    expect(pdf).toMatch(/\/MediaBox\s*\[0 0 59[45][.\d]* 84[12]/); // A4
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await styleOf(page, 'body', 'background-color')).toBe('rgb(255, 255, 255)');
    expect(await styleOf(page, 'thead', 'display')).toBe('table-header-group');
    expect(await styleOf(page, 'nav', 'display')).toBe('none');
  });
});

function styleOf(page: Page, selector: string, property: string): Promise<string> {
  const element = `document.querySelector(${JSON.stringify(selector)})`;
  return page.evaluate<string>(`getComputedStyle(${element}).getPropertyValue('${property}')`);
}

interface Focus {
  readonly text: string;
  readonly section: string;
  readonly outlined: boolean;
  readonly inView: boolean;
}

/** What has the focus, and whether a reader sees that it has. */
function focused(page: Page): Promise<Focus> {
  return page.evaluate<Focus>(`(() => {
    const at = document.activeElement;
    const { top, bottom } = at.getBoundingClientRect();
    return {
      text: at.textContent.trim().slice(0, 40),
      section: at.closest('main > section')?.id ?? '',
      outlined: getComputedStyle(at).outlineStyle !== 'none',
      inView: bottom > 0 && top < innerHeight,
    };
  })()`);
}

/** WCAG 2.2, "contrast ratio", of two colours as `rgb(1, 2, 3)`. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [one, other].map(luminance).sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map((digits) => {
    const share = Number(digits) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
