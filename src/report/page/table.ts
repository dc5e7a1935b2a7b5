import { html, type Html } from './markup.ts';

type Cell = Html | string | number;

export interface Column<Row> {
  readonly name: string;
  /** Numbers stand to the right, codes in a font whose letters are all as wide. */
  readonly kind?: 'number' | 'code';
  readonly cell: (row: Row) => Cell;
}

/** The first column names the row. A table that is wider than the screen moves within its own frame. */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): Html {
  if (rows.length === 0) return html`<p>${caption}: none.</p>`;
  const [name, ...rest] = columns;
  return html`<div class="frame" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${classOf(column)}>${column.name}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (
    row,
  ) => html`<tr>${name ? html`<th scope="row"${classOf(name)}>${name.cell(row)}</th>` : ''}${rest.map((column) => html`<td${classOf(column)}>${column.cell(row)}</td>`)}</tr>
`,
)}</tbody>
</table></div>
`;
}

function classOf({ kind }: { readonly kind?: string }): Html | string {
  return kind === undefined ? '' : html` class="${kind}"`;
}

/** Facts under their names; those that are not known are left out. */
export function facts(pairs: readonly (readonly [name: string, value: Cell | null])[]): Html {
  const known = pairs.flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
  return html`<dl class="facts">${known.map(
    ({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`,
  )}</dl>
`;
}
