/** Tokens of the subset of Python that the oracle's formulas are written in. */
export type Token =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number; readonly type: 'int' | 'float' | 'complex' }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'newline' }
  | { readonly kind: 'indent' }
  | { readonly kind: 'dedent' }
  | { readonly kind: 'end' }

const operators = ['**', '//', '==', '!=', '<=', '>=', '->', '+', '-', '*', '/', '%', '@', '<', '>', '=', '(', ')', '[', ']', '{', '}', ',', ':', '.', '~', ';', '&', '|', '^']

const numberPattern = /^(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)j?/

const readNumber = (text: string): Token => {
  const value = Number(text.replace('j', ''))
  if (text.endsWith('j')) return { kind: 'number', value, type: 'complex' }
  return { kind: 'number', value, type: /[.eE]/.test(text) ? 'float' : 'int' }
}

/** Splits a line; brackets keep lines together, which the caller sees in `depth`. */
const lineTokens = (line: string): readonly Token[] => {
  const tokens: Token[] = []
  let at = 0
  while (at < line.length) {
    const rest = line.slice(at)
    const space = /^\s+/.exec(rest)
    if (space !== null) {
      at += space[0].length
      continue
    }
    if (rest.startsWith('#')) break
    if (rest.startsWith('...')) {
      tokens.push({ kind: 'operator', text: '...' })
      at += 3
      continue
    }
    const word = /^[A-Za-z_]\w*/.exec(rest)
    const number = numberPattern.exec(rest)
    const text = /^(?:"([^"]*)"|'([^']*)')/.exec(rest)
    const operator = operators.find((o) => rest.startsWith(o))
    if (word !== null) {
      tokens.push({ kind: 'name', text: word[0] })
      at += word[0].length
    } else if (number !== null) {
      tokens.push(readNumber(number[0]))
      at += number[0].length
    } else if (text !== null) {
      tokens.push({ kind: 'string', text: text[1] ?? text[2] ?? '' })
      at += text[0].length
    } else if (operator !== undefined) {
      tokens.push({ kind: 'operator', text: operator })
      at += operator.length
    } else throw new SyntaxError(`unexpected ${JSON.stringify(rest.slice(0, 10))}`)
  }
  return tokens
}

const depthChange = (tokens: readonly Token[]): number =>
  tokens.reduce((depth, t) => {
    if (t.kind !== 'operator') return depth
    if ('([{'.includes(t.text)) return depth + 1
    return ')]}'.includes(t.text) ? depth - 1 : depth
  }, 0)

/** The tokens of a program, with line ends and changes of indentation outside brackets. */
export const tokenize = (source: string): readonly Token[] => {
  const tokens: Token[] = []
  const indents = [0]
  let depth = 0
  for (const line of source.split('\n')) {
    if (line.trim() === '') continue
    const found = lineTokens(line)
    if (found.length === 0) continue
    if (depth === 0) {
      const indent = line.length - line.trimStart().length
      if (indent > indents.at(-1)!) {
        indents.push(indent)
        tokens.push({ kind: 'indent' })
      }
      while (indent < indents.at(-1)!) {
        indents.pop()
        tokens.push({ kind: 'dedent' })
      }
    }
    tokens.push(...found)
    depth += depthChange(found)
    if (depth === 0) tokens.push({ kind: 'newline' })
  }
  for (const _ of indents.slice(1)) tokens.push({ kind: 'dedent' })
  return [...tokens, { kind: 'end' }]
}
