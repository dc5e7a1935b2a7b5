import type { Finding, Severity } from '../../audit/finding.ts';
import type { Audited, LeaseStanding, LogStanding, Report, Signed, StationLeaf } from '../report.ts';
import { count, counted, duration, percent } from '../words.ts';
import { codeOf, html, type Html, said, timeOf } from './markup.ts';
import { share } from './plot.ts';
import { severityMark } from './summary.ts';
import { facts, table } from './table.ts';

export function ids({ leases, units }: Report): Html {
  const stages = ['verified', 'exported', 'certified', 'installed'] as const;
  const waits = {
    verified: 'for a batch to the CA',
    exported: 'for the CA to answer',
    certified: 'for its certificate to be installed',
    installed: 'for nothing',
  } as const;
  return html`<section id="ids" aria-labelledby="ids-title">
<h2 id="ids-title">Ids and certificates</h2>
${table(
  'Leases of ids, as of now',
  [
    { name: 'Lease', kind: 'code', cell: ({ first, last }: LeaseStanding) => `${first}-${last}` },
    { name: 'Used', kind: 'number', cell: ({ used }) => count(used) },
    { name: 'Left', kind: 'number', cell: ({ left, closed }) => (closed ? 'closed' : count(left)) },
    {
      name: 'Used of all',
      kind: 'number',
      cell: ({ first, last, used }) => share(used / sizeOf(first, last), 'good'),
    },
  ],
  leases,
)}
${table(
  'How far the good units have come',
  [
    { name: 'State', cell: (state: (typeof stages)[number]) => state },
    {
      name: 'Units',
      kind: 'number',
      cell: (state) => count(units.filter((unit) => unit.state === state).length),
    },
    { name: 'They wait', cell: (state) => waits[state] },
  ],
  stages,
)}
</section>
`;
}

function sizeOf(first: string, last: string): number {
  return Number.parseInt(last, 16) - Number.parseInt(first, 16) + 1;
}

export function log({ log, madeAt }: Report): Html {
  return html`<section id="log" aria-labelledby="log-title">
<h2 id="log-title">Log and witness</h2>
<p>Every figure of units on this page is told from the entries of the provisioning log. Each entry names the hash of the one before it, and a
checkpoint names the root of the RFC 6962 tree over them. The station signs checkpoints; the CA signs them too, as a
witness, when it has seen that the log only grew. What came after the last witnessed checkpoint rests on the station
alone.</p>
${facts([
  ['Entries', count(log.size)],
  [
    'Not witnessed yet',
    `${count(unseenOf(log))} (${percent(log.size === 0 ? null : unseenOf(log) / log.size)})`,
  ],
])}
<h3>Last checkpoint the witness signed</h3>
${witness(log, madeAt)}
<h3>Last checkpoint the station signed</h3>
${log.signed === null ? html`<p>None.</p>` : checkpoint(log.signed)}
</section>
`;
}

/** The tail of the log that only the station vouches for. */
function unseenOf({ size, witnessed }: LogStanding): number {
  return size - (witnessed?.size ?? 0);
}

function witness({ witnessed }: LogStanding, madeAt: Date): Html {
  if (witnessed === null) return html`<p>None: no batch of the CA has brought one yet.</p>`;
  const age = duration((madeAt.getTime() - witnessed.time.getTime()) / 1000);
  return html`${facts([
    ['Witness', said(witnessed.witness)],
    ['Signed', html`${timeOf(witnessed.time)} UTC, by the clock of the CA: ${age} before this report`],
    ['Holds', witnessed.holds ? 'yes: the log still begins with it' : 'no: the log does not begin with it'],
  ])}${checkpoint(witnessed)}`;
}

function checkpoint({ origin, size, root, note }: Signed): Html {
  return html`${facts([
    ['Origin', codeOf(origin)],
    ['Entries', count(size)],
    ['Root', codeOf(root)],
  ])}<details class="more"><summary>The signed note, to be checked with other tools</summary><pre tabindex="0">${note
    .trimEnd()
    .split('\n')
    .map((line) => html`${line}\n`)}</pre></details>
`;
}

/** More are in the JSON Lines, and so are the seals, which only say what this page tells. */
const maximumEvents = 500;

export function events(report: Report): Html {
  const events = report.events.filter(({ ev }) => ev !== 'seal');
  const shown = events.slice(-maximumEvents);
  return html`<section id="events" aria-labelledby="events-title">
<h2 id="events-title">Events of the station</h2>
${events.length > shown.length ? html`<p>The last ${count(shown.length)} of ${count(events.length)}; all are in the JSON Lines export.</p>` : ''}
${table(
  'What the log says beside units',
  [
    { name: 'Entry', kind: 'number', cell: ({ n }: StationLeaf) => count(n) },
    { name: 'Time, UTC', cell: ({ t }) => timeOf(t) },
    { name: 'Event', kind: 'code', cell: ({ ev }) => ev },
    { name: 'It says', cell: sayings },
  ],
  shown,
)}
</section>
`;
}

/** Said by every leaf, or shown beside it. */
const common = ['v', 'n', 'p', 't', 'm', 'ev', 'id', 'station', 'sw', 'from', 'to'];

/** Hashes are SHA-256. */
const names: Readonly<Record<string, string>> = {
  csr: 'request',
  spki: 'public key',
  uid: 'chip',
  fw: 'firmware',
  cert: 'certificate',
};

/** What a leaf says beside what all do, as it is in the log. */
export function sayings(leaf: object): Html {
  const own = Object.entries(leaf).filter(([key]) => !common.includes(key));
  return html`${own.map(
    ([
      key,
      value,
    ]) => html`<span class="saying"><span class="key">${names[key] ?? key}</span> ${key === 'reason' ? said(String(value)) : codeOf(String(value))}</span>
`,
  )}`;
}

/** A registry that was changed as a whole has more than anybody reads; all are in the JSON Lines. */
const maximumFindings = 500;

export function audit({ checked, findings }: Audited): Html {
  const order: readonly Severity[] = ['tamper', 'violation', 'doubt', 'notice'];
  const sorted = findings.toSorted(
    (one, other) => order.indexOf(one.severity) - order.indexOf(other.severity),
  );
  const shown = sorted.slice(0, maximumFindings);
  return html`<section id="audit" aria-labelledby="audit-title">
<h2 id="audit-title">Audit</h2>
<p>All that the station has on record was held to all else that it has on record, whatever the period of this report.</p>
${facts([
  [
    'Log entries',
    html`${count(checked.entries)}, each by the one before it, the tree and the last checkpoint`,
  ],
  ['Units', html`${count(checked.units)}, each by the log`],
  ['Requests', html`${count(checked.requests)}, each signature verified anew`],
  ['Certificates', html`${count(checked.certificates)}, each by its request and its chain`],
  ['Leases', html`${count(checked.leases)}, every id of them accounted for`],
  ['Batches', html`${count(checked.batches)}, each by its manifest, the log and the one before it`],
  ['Files', html`${count(checked.files)}, looked through for private keys`],
])}
${findings.length === 0 ? html`<p>It found nothing.</p>` : findingTable(shown, findings.length)}
</section>
`;
}

function findingTable(findings: readonly Finding[], all: number): Html {
  const more =
    all > findings.length ? `; the first ${count(findings.length)} are here, all in the JSON Lines` : '';
  return html`<p>${counted(all, 'finding')}, the worst first${more}.</p>
${table(
  'Findings of the audit',
  [
    { name: 'About', cell: ({ subject }: Finding) => about(subject) },
    { name: 'Severity', cell: ({ severity }) => severityMark(severity) },
    { name: 'What', cell: ({ words, code }) => html`${words} <span class="key">${code}</span>` },
    { name: 'What to do', cell: ({ advice }) => advice },
  ],
  findings,
)}`;
}

function about(subject: Finding['subject']): Html {
  switch (subject.kind) {
    case 'unit':
      return html`unit ${codeOf(subject.id)}`;
    case 'leaf':
      return html`entry ${count(subject.n)}`;
    case 'batch':
      return html`batch ${subject.sequence} ${subject.direction === 'out' ? 'to' : 'from'} the CA`;
    case 'lease':
      return html`lease ${codeOf(subject.range)}`;
    case 'file':
      return html`file ${codeOf(subject.path)}`;
    case 'station':
      return html`the station`;
  }
}
