/** Pieces of JavaScript with their precedence, so that parentheses appear where they must. */

/** How tightly an expression binds; the values are the order of JavaScript's operators. */
export const level: {
  readonly conditional: number
  readonly or: number
  readonly and: number
  readonly bitOr: number
  readonly bitXor: number
  readonly bitAnd: number
  readonly equality: number
  readonly relational: number
  readonly shift: number
  readonly additive: number
  readonly multiplicative: number
  readonly unary: number
  readonly atom: number
} = {
  conditional: 1,
  or: 2,
  and: 3,
  bitOr: 4,
  bitXor: 5,
  bitAnd: 6,
  equality: 7,
  relational: 8,
  shift: 9,
  additive: 10,
  multiplicative: 11,
  unary: 12,
  atom: 13,
}

export interface Code {
  readonly text: string
  readonly level: number
}

export const atom = (text: string): Code => ({ text, level: level.atom })
export const call = (name: string, ...args: readonly Code[]): Code =>
  atom(`${name}(${args.map((a) => a.text).join(', ')})`)

/** The text, in parentheses where it binds less tightly than `least`. */
export const within = (code: Code, least: number): string =>
  code.level < least ? `(${code.text})` : code.text

/** A left-associative infix operator. The right operand needs to bind more tightly. */
export const infix = (x: Code, operator: string, y: Code, at: number): Code => ({
  text: `${within(x, at)} ${operator} ${within(y, at + 1)}`,
  level: at,
})

export const conditional = (condition: Code, x: Code, y: Code): Code => ({
  text: `${within(condition, level.or)} ? ${within(x, level.or)} : ${within(y, level.conditional)}`,
  level: level.conditional,
})

export const prefix = (operator: string, x: Code): Code => ({
  // A space would be needed between two signs; parentheses read better.
  text: `${operator}${x.text.startsWith(operator) ? `(${x.text})` : within(x, level.unary)}`,
  level: level.unary,
})

/** A number as JavaScript writes it: −0, NaN and the infinities included. */
export const numeral = (value: number): Code => {
  if (Object.is(value, -0)) return { text: '-0', level: level.unary }
  return value < 0 ? { text: String(value), level: level.unary } : atom(String(value))
}
