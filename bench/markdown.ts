/** Tables in Markdown. */

export type Row = readonly string[]

/** The first row is the head; its first column is text, the others are figures. */
export const markdown = ([head, ...rows]: readonly Row[]): string => {
  const line = (row: Row): string => `| ${row.join(' | ')} |`
  const rule = `| --- |${' ---: |'.repeat(head!.length - 1)}`
  return [line(head!), rule, ...rows.map(line)].join('\n')
}
