/** One line of a benchmark's table. */
export interface Row {
  what: string;
  /** As targets.md has it; empty where there is none. */
  target: string;
  measured: string;
  /** Null where there is no target, or what it is measured against is not installed. */
  held: boolean | null;
  latchkey: string;
  bareNode?: string;
  nginx?: string;
}

/** A Markdown table that also reads well in a terminal. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [
    ['what', 'target', 'measured', 'held', 'Latchkey', 'bare Node', 'nginx'],
    ...rows.map((row) => [
      row.what,
      row.target,
      row.measured,
      row.held === null ? '' : row.held ? 'yes' : 'NO',
      row.latchkey,
      row.bareNode ?? '',
      row.nginx ?? '',
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0), 3));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The median of the ratios of each round: what slows the machine for a while slows both sides of a round. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/** `1.87 ×`; a dash where the run was too short to tell. */
export function times(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)} ×` : '-';
}

export function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`;
}

export function milliseconds(value: number): string {
  return Number.isFinite(value)
    ? `${value < 1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
    : '-';
}
