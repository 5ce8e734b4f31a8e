/** Code blocks of the documentation, and what their fences promise. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

export const readText = (path: string): string => readFileSync(join(root, path), 'utf8')

/** A fenced block. `info` is what stands after the backticks: `ts runnable`. */
export interface Block {
  readonly info: string
  readonly text: string
  /** Of its first line, in the document. */
  readonly line: number
  /** The heading that it stands under. */
  readonly section: string
}

export const blocksOf = (markdown: string): readonly Block[] => {
  const blocks: Block[] = []
  let section = ''
  let open: { readonly info: string; readonly line: number } | null = null
  let lines: string[] = []
  markdown.split('\n').forEach((line, i) => {
    const fence = /^```(.*)$/.exec(line)
    if (open === null) {
      section = /^#+ (.*)$/.exec(line)?.[1] ?? section
      if (fence !== null) open = { info: fence[1]!.trim(), line: i + 2 }
    } else if (fence === null) {
      lines.push(line)
    } else {
      blocks.push({ ...open, text: lines.join('\n'), section })
      open = null
      lines = []
    }
  })
  return blocks
}

/** One module: the runnable blocks of one section of a document, and what they are to print. */
export interface Program {
  readonly document: string
  readonly section: string
  readonly source: string
  /** What the n-th `console.log` with a comment behind it prints, by its place. */
  readonly comments: readonly { readonly line: number; readonly text: string }[]
  /** All other output, where the document shows it. */
  readonly output: string | null
  /** The message of the error that ends it, where the document shows one. */
  readonly error: string | null
}

const logged = /^(.*?)console\.log\((.*)\) \/\/ (.*)$/

const importOf = (text: string): string | null =>
  /^import [^;]*? from '.*'$/m.exec(text)?.[0] ?? null

/**
 * `ts runnable` blocks of a section make one module, so that later ones see the names of earlier
 * ones. A section without an import of its own takes that of the document's first block. The block
 * after them may be `text output` (or `js output`), or `text error`.
 */
export const programsOf = (document: string): readonly Program[] => {
  const blocks = blocksOf(readText(document))
  const runnable = blocks.filter((block) => block.info === 'ts runnable')
  const shared = runnable.map((block) => importOf(block.text)).find((line) => line !== null)
  const sections = [...new Set(runnable.map((block) => block.section))]
  return sections.map((section) => {
    const mine = runnable.filter((block) => block.section === section)
    const given = mine.map((block) => block.text).join('\n')
    const text = importOf(given) === null && shared !== undefined ? `${shared}\n${given}` : given
    const comments: { readonly line: number; readonly text: string }[] = []
    const source = text.split('\n').map((line, i) => {
      const match = logged.exec(line)
      if (match === null) return line
      comments.push({ line: i, text: match[3]! })
      return `${match[1]}globalThis.documented(${i}, ${match[2]})`
    })
    const shown = (kind: string): string | null =>
      blocks.find((b) => b.section === section && b.info.endsWith(kind))?.text ?? null
    return {
      document,
      section,
      source: source.join('\n'),
      comments,
      output: shown(' output'),
      error: shown(' error'),
    }
  })
}

/** Writes what a program prints now into the block that shows it. */
export const updateOutput = (program: Program, output: string): void => {
  const [document, section] = [program.document, program.section]
  const lines = readText(document).split('\n')
  const block = blocksOf(lines.join('\n')).find(
    (b) => b.section === section && b.info.endsWith(' output'),
  )
  if (block === undefined) return
  const length = block.text === '' ? 0 : block.text.split('\n').length
  lines.splice(block.line - 1, length, ...output.trim().split('\n'))
  writeFileSync(join(root, document), lines.join('\n'))
}

/** Blocks that are copied from a file: `ts from packages/core/src/trace.ts`. */
export const excerptsOf = (document: string): readonly (Block & { readonly path: string })[] =>
  blocksOf(readText(document)).flatMap((block) => {
    const path = / from (\S+)$/.exec(block.info)?.[1]
    return path === undefined ? [] : [{ ...block, path }]
  })

/** Targets of links and pictures inside the repository, without their anchors. */
export const linksOf = (document: string): readonly string[] =>
  [...readText(document).matchAll(/(?:\]\(|src=")([^)"\s]+)/g)]
    .map((match) => match[1]!.replace(/#.*/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
