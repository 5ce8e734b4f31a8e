/** The little HTML and SVG that the page needs. */
export type Attributes = Readonly<Record<string, string | number>>

/** Finished markup, as opposed to text that is still to be escaped. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Child = Markup | string

const escapes: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
])

export const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => escapes.get(character) ?? character)

const number = (value: number): string => String(Math.round(value * 100) / 100)

/** An element; strings among attributes and children are escaped. */
export const element = (
  name: string,
  attributes: Attributes = {},
  children: readonly Child[] = [],
): Markup => {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? number(value) : escape(value)}"`,
  )
  const inner = children.map((child) => (child instanceof Markup ? child.text : escape(child)))
  return new Markup(`<${name}${written.join('')}>${inner.join('')}</${name}>`)
}
