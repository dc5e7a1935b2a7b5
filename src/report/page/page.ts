import { createHash } from 'node:crypto';
import type { Audited, Period, Report } from '../report.ts';
import { dateTime } from '../words.ts';
import { audit, events, ids, log } from './evidence.ts';
import { html, type Html, markupOf, trusted } from './markup.ts';
import { faults, production } from './production.ts';
import { style } from './style.ts';
import { summary } from './summary.ts';
import { doubts, histories } from './units.ts';

/** In the order of the page. */
const contents = [
  ['summary', 'Summary'],
  ['production', 'Production'],
  ['faults', 'Faults'],
  ['doubts', 'Units in doubt'],
  ['ids', 'Ids and certificates'],
  ['log', 'Log and witness'],
  ['audit', 'Audit'],
  ['events', 'Events of the station'],
  ['units', 'Units'],
] as const;

/**
 * One page for people, whole in itself: no script, nothing from elsewhere, and a policy that would not let a browser
 * load any, so that whatever is in the registry stays text.
 */
export async function* page(report: Report, audited: Audited): AsyncGenerator<string> {
  yield markupOf(top(report));
  yield markupOf(summary(report, audited));
  for (const section of [production, faults, doubts, ids, log]) yield markupOf(section(report));
  yield markupOf(audit(audited));
  yield markupOf(events(report));
  for await (const piece of histories(report)) yield markupOf(piece);
  yield markupOf(bottom(report));
}

const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;

function top({ station, chip, madeAt, period, units }: Report): Html {
  const title = `Provisioning report of station ${station}`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}, ${dateTime(madeAt).slice(0, 10)}</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<p class="kind">Provisioning report</p>
<h1>Station ${station}</h1>
<p>${units.length === 0 ? 'No unit' : `Units begun ${span(units.map(({ reservedAt }) => reservedAt))}`} · ${asked(period)} · chip ${chip}</p>
</header>
<nav aria-label="Contents"><ul>
${contents.map(
  ([id, name]) => html`<li><a href="#${id}">${name}</a></li>
`,
)}</ul></nav>
<main id="main" tabindex="-1">
`;
}

function asked({ from, to }: Period): string {
  if (from === null && to === null) return 'the whole log';
  if (from === null) return `asked for: to ${to}`;
  return to === null ? `asked for: from ${from}` : `asked for: ${from} to ${to}`;
}

function span(times: readonly string[]): string {
  const sorted = times.toSorted();
  return `${dateTime(sorted[0] ?? '')} to ${dateTime(sorted.at(-1) ?? '')} UTC`;
}

function bottom({ madeAt, version }: Report): Html {
  return html`</main>
<footer><p>Made ${dateTime(madeAt)} UTC by lineside ${version} from the station's registry and log. This page holds no script and loads nothing.</p></footer>
</body>
</html>
`;
}
