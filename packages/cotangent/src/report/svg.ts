/** The parts of SVG that the charts are drawn with. */
import { type Attributes, type Child, element, type Markup } from './markup.ts'

export interface Drawing {
  /** Unique in the page: the title and the description are tied to the drawing by it. */
  readonly id: string
  readonly title: string
  /** What a reader who does not see the drawing should know. */
  readonly description: string
  readonly width: number
  readonly height: number
}

/** The root: named and described for screen readers, scaling to the width it is given. */
export const svg = (drawing: Drawing, children: readonly Child[]): Markup => {
  const { id, title, description, width, height } = drawing
  const head = [
    element('title', { id: `${id}-title` }, [title]),
    element('desc', { id: `${id}-desc` }, [description]),
  ]
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      // Drawn at its own size where there is room, so that text keeps the size of the page's text.
      style: `max-width:${width}px`,
      role: 'img',
      'aria-labelledby': `${id}-title`,
      'aria-describedby': `${id}-desc`,
    },
    [...head, ...children],
  )
}

export const group = (attributes: Attributes, children: readonly Child[]): Markup =>
  element('g', attributes, children)

export const text = (x: number, y: number, content: string, more: Attributes = {}): Markup =>
  element('text', { x, y, ...more }, [content])

export const rule = (
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  more: Attributes = {},
): Markup => element('line', { x1, y1, x2, y2, ...more })
