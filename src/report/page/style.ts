/*
 * The fonts of the system, one accent, three colours with a meaning that words say too. Text has a contrast of 4.5 or
 * more on its ground in both schemes (WCAG 2.2, 1.4.3), bars 3 or more (1.4.11).
 */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fcfbf9; --shade: #f3f1ec; --ink: #1d2228; --soft: #565e67; --rule: #dad6ce; --accent: #14537a;
  --good: #2b6f60; --void: #a63d2c; --doubt: #7d5400;
  --text: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --title: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif;
  --code: ui-monospace, "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16191d; --shade: #1f2429; --ink: #e5e3df; --soft: #a7aeb6; --rule: #3a4149; --accent: #8fc6ec;
    --good: #6dbca7; --void: #ef9182; --doubt: #e0b158;
  }
}
* { box-sizing: border-box; }
html { font: clamp(1rem, 0.85rem + 0.3vw, 1.375rem) / 1.5 var(--text); scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 3rem) 3rem; max-width: 76rem;
  background: var(--paper); color: var(--ink); font-variant-numeric: tabular-nums lining-nums;
}
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100vw; padding: 0.5rem 1rem; background: var(--paper); }
.skip:focus { left: 1rem; top: 0.5rem; }
h1, h2, h3 { font-family: var(--title); font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.25rem; margin: 0 0 0.25rem; }
h2 { font-size: 1.5rem; margin: 0 0 1rem; }
h3 { font-size: 1.125rem; margin: 1.75rem 0 0.5rem; }
p { max-width: 44rem; margin: 0.5rem 0; }
header { border-bottom: 1px solid var(--ink); padding-bottom: 1rem; }
header p { max-width: none; }
header p, .note, footer { color: var(--soft); }
.note, footer { font-size: 0.875rem; }
.kind { margin: 0; letter-spacing: 0.06em; text-transform: uppercase; font-size: 0.8125rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.75rem 0 0; padding: 0; list-style: none; font-size: 0.9375rem; }
nav a { text-decoration: none; padding: 0.25rem 0; display: inline-block; }
nav a:hover { text-decoration: underline; }
section { padding-top: 2.5rem; }
footer { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: 0.75rem; }
code, .code, pre { font-family: var(--code); font-size: 0.9em; }
code, pre { overflow-wrap: anywhere; }
.code, .code code { white-space: nowrap; }
pre { white-space: pre-wrap; background: var(--shade); padding: 0.75rem 1rem; margin: 0.5rem 0; border-radius: 4px; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1.25rem 1.5rem; margin: 0; }
.tiles div { border-top: 2px solid var(--rule); padding-top: 0.5rem; }
.tiles dt { font-size: 0.875rem; color: var(--soft); }
.tiles dd { margin: 0; }
.tiles b { display: block; font: 600 1.875rem / 1.2 var(--title); }
.tiles span { font-size: 0.8125rem; line-height: 1.35; display: block; color: var(--soft); }
.concerns { list-style: none; padding: 0; margin: 0; max-width: 44rem; }
.concerns li { display: grid; grid-template-columns: 8rem 1fr; gap: 0 1rem; padding: 0.4rem 0; border-bottom: 1px solid var(--rule); }
.mark { white-space: nowrap; font-weight: 600; font-size: 0.9375rem; }
.mark::before { content: ""; display: inline-block; width: 0.7em; height: 0.7em; margin-right: 0.45em; background: currentcolor; }
.tamper { color: var(--void); }
.violation { color: var(--void); }
.violation::before { clip-path: polygon(50% 0, 100% 100%, 0 100%); }
.doubt { color: var(--doubt); }
.doubt::before { border-radius: 50%; }
.notice { color: var(--soft); }
.notice::before { height: 0.2em; margin-bottom: 0.2em; }

.frame { overflow-x: auto; margin: 1rem 0 1.5rem; }
table { border-collapse: collapse; min-width: 100%; font-size: 0.9375rem; }
caption { text-align: left; font-weight: 600; padding-bottom: 0.4rem; }
th, td { text-align: left; vertical-align: top; font-weight: 400; padding: 0.4rem 1.25rem 0.4rem 0; border-bottom: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 0.8125rem; border-bottom-color: var(--soft); white-space: nowrap; vertical-align: bottom; }
thead th.code { font-family: inherit; }
tbody th { min-width: 7rem; }
tbody th.number { min-width: 0; }
bdi { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.key { color: var(--soft); font-size: 0.8125rem; }
time { white-space: nowrap; }

.plot { display: grid; grid-template: auto 9rem auto / auto minmax(0, 1fr); gap: 0.35rem 0.6rem; margin: 1.25rem 0; }
.plot figcaption { grid-column: 1 / 3; font-weight: 600; font-size: 0.9375rem; }
.plot svg { grid-column: 2; overflow: visible; }
.scale, .ends { font-size: 0.75rem; color: var(--soft); display: flex; justify-content: space-between; line-height: 1; }
.scale { flex-direction: column; text-align: right; margin: -0.375rem 0; }
.ends { grid-column: 2; }
svg line { stroke: var(--rule); stroke-width: 1; }
svg.good rect { fill: var(--good); }
svg.void rect { fill: var(--void); }
svg.share { display: block; margin: 0.3rem 0 0.2rem auto; min-width: 6rem; max-width: 9rem; }
svg.share .whole { fill: var(--rule); }

.facts { margin: 0.5rem 0 1rem; }
.facts div { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 0 1rem; padding: 0.2rem 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
summary { cursor: pointer; padding: 0.3rem 0; }
details > summary:first-of-type { color: var(--ink); }
.group { margin-top: 1rem; }
.group > summary h3 { display: inline; }
.unit { border-bottom: 1px solid var(--rule); margin-left: 1rem; }
.unit summary span, .unit summary code { display: inline-block; margin-right: 1rem; }
.unit summary .state { min-width: 5rem; }
.unit summary .probe { min-width: 4.5rem; }
.unit .void { color: var(--void); }
.unit ol:target { background: var(--shade); }
.unit p, .unit ol { margin: 0.25rem 0 0.75rem 1rem; font-size: 0.875rem; }
.unit ol { list-style: none; padding: 0; }
.unit li { display: grid; grid-template-columns: 6rem 10rem 5rem minmax(0, 1fr); gap: 0 1rem; padding: 0.2rem 0; }
.saying { display: inline-block; margin-right: 1rem; }
@media (max-width: 48rem) {
  .concerns li, .facts div { grid-template-columns: 1fr; }
  .unit { margin-left: 0; }
  .unit p, .unit ol { margin-left: 0; }
  .unit li { display: flex; flex-wrap: wrap; gap: 0 0.75rem; }
  .unit .says { width: 100%; }
}
@media (forced-colors: active) {
  .mark::before { forced-color-adjust: none; background: CanvasText; }
  svg rect { fill: CanvasText; }
  svg.share .whole { fill: GrayText; }
}
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt system-ui, sans-serif; color: #555; } }
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --shade: #f4f4f4; --ink: #000; --soft: #444; --rule: #ccc; --accent: #000;
    --good: #2b6f60; --void: #a63d2c; --doubt: #7d5400;
  }
  html { font-size: 9.5pt; }
  body { padding: 0; max-width: none; }
  nav, .skip, .more:not([open]) { display: none; }
  .group::details-content { content-visibility: visible; block-size: auto; }
  a { text-decoration: none; }
  section { padding-top: 1.5rem; }
  h2, h3, caption, summary { break-after: avoid; }
  .frame { overflow: visible; }
  thead { display: table-header-group; }
  tr, .plot, .tiles div, .concerns li, .facts div, .unit li { break-inside: avoid; }
  svg rect, .mark::before { print-color-adjust: exact; }
}
`;
