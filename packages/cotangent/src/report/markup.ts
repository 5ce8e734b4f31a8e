/**
 * Markup is a value: an element built from a tag, attributes and children, every string of which is
 * escaped here and nowhere else. HTML and SVG are printed alike.
 */

/** Markup that is safe to print as it stands. Only this module makes one. */
export interface Markup {
  readonly tag: 'markup'
  readonly source: string
}

/** A string child is text, and is escaped. */
export type Child = Markup | string

export type Attributes = Readonly<Record<string, string | number | undefined>>

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

// What neither HTML nor XML allows, and what would let text pose as something else on screen: control
// characters, halves of pairs, and the overrides of the writing direction.
const forbidden = /(?![\n\t])\p{Cc}|\p{Cs}|[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu

/** Text for an element or a quoted attribute; line ends become `\n`, forbidden characters `�`. */
export const escapeText = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(forbidden, '\ufffd')
    .replace(/[&<>"']/g, (c) => entities[c]!)

/**
 * A coordinate with at most two decimals, as short as it goes: a hundredth of a pixel is not seen.
 * @throws RangeError for NaN and the infinities: what is drawn must have a place.
 */
export const coordinate = (value: number): string => {
  if (!Number.isFinite(value)) throw new RangeError(`markup: ${value} is no coordinate`)
  const rounded = Math.round(value * 100) / 100
  return String(rounded === 0 ? 0 : rounded)
}

const safeName = /^[a-zA-Z][\w:-]*$/
const childless: ReadonlySet<string> = new Set(['meta', 'img', 'br', 'hr', 'link', 'col', 'input'])

const print = (child: Child): string =>
  typeof child === 'string' ? escapeText(child) : child.source

/**
 * One element. Attributes that are undefined are left out; numbers are coordinates.
 * Example: `element('rect', { x: 1.005, width: 2 })`
 */
export const element = (
  name: string,
  attributes: Attributes = {},
  children: readonly Child[] = [],
): Markup => {
  let source = `<${name}`
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    if (!safeName.test(key)) throw new RangeError(`markup: ${key} is no attribute name`)
    source += ` ${key}="${typeof value === 'number' ? coordinate(value) : escapeText(value)}"`
  }
  source += childless.has(name) ? '>' : `>${children.map(print).join('')}</${name}>`
  return { tag: 'markup', source }
}

/** Several children in a row, without an element around them. */
export const fragment = (children: readonly Child[]): Markup => ({
  tag: 'markup',
  source: children.map(print).join(''),
})

/** Nothing. */
export const empty: Markup = fragment([])

/**
 * A style sheet of our own, printed unescaped, as HTML reads it.
 * @throws RangeError if it could end its element.
 */
export const styleSheet = (css: string): Markup => {
  if (css.includes('</')) throw new RangeError('markup: a style sheet must not hold "</"')
  return { tag: 'markup', source: `<style>${css}</style>` }
}

/** A whole HTML document. */
export const document = (root: Markup): string => `<!doctype html>\n${root.source}\n`
