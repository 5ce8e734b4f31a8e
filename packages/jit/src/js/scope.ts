/**
 * Names and links of one printed function. Constants and helper functions are not printed: they
 * are linked, as arguments of the factory that returns the function. Their names start with `$`.
 */

export interface JsScope {
  /** The JavaScript identifier of a name of the loop IR. */
  readonly name: (name: string) => string
  /** Makes `value` available under a name of its own. */
  readonly link: (name: string, value: unknown) => string
  readonly links: ReadonlyMap<string, unknown>
}

const reserved: ReadonlySet<string> = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum ' +
    'eval export extends false finally for function if implements import in instanceof interface ' +
    'let new null package private protected public return static super switch this throw true try ' +
    'typeof var void while with yield undefined NaN Infinity Math'
  ).split(' '),
)

/** A name as an identifier: `conv2d 3x3` becomes `conv2d_3x3`. */
export const identifier = (name: string): string => {
  const clean = name.replace(/[^A-Za-z0-9_]/g, '_')
  return reserved.has(clean) || !/^[A-Za-z_]/.test(clean) ? `_${clean}` : clean
}

export const makeScope = (): JsScope => {
  const links = new Map<string, unknown>()
  return {
    name: identifier,
    link: (name, value) => {
      links.set(`$${name}`, value)
      return `$${name}`
    },
    links,
  }
}
