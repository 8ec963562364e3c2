/** Lists as people read them. Pure. */

/** A line for the titles and one for each row, the cells below each other, with nothing behind the last one. */
export function formatColumns(
  titles: readonly string[],
  rows: readonly (readonly (string | number | boolean)[])[],
): string {
  const lines = [titles, ...rows.map((row) => row.map(String))]
  const widths = titles.map((_title, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines.map((line) => `${formatLine(line, widths)}\n`).join('')
}

function formatLine(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join('  ')
    .trimEnd()
}

/** What a network or endpoint has of IPv4, and of IPv6 beside it. */
export function both(ipv4: string, ipv6: string | undefined): string {
  return ipv6 === undefined ? ipv4 : `${ipv4}, ${ipv6}`
}

/** An id of Docker's, as short as Docker prints it. */
export function shortId(id: string): string {
  return id.slice(0, 12)
}
