/** The frame of the page: head, sections, figures. */
import { css } from './style.ts'
import { type Child, document, element, type Markup, styleSheet } from './markup.ts'

/** Says to the browser what the page is: no script, nothing from elsewhere. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/** The whole page as text. */
export const page = (title: string, body: readonly Markup[]): string =>
  document(
    element('html', { lang: 'en' }, [
      element('head', {}, [
        element('meta', { charset: 'utf-8' }),
        element('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
        element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
        element('title', {}, [title]),
        styleSheet(css),
      ]),
      element('body', {}, [element('main', {}, body)]),
    ]),
  )

/** A part of the page under its heading. */
export const section = (id: string, heading: string, children: readonly Child[]): Markup =>
  element('section', { 'aria-labelledby': id }, [element('h2', { id }, [heading]), ...children])

/** Two things side by side where there is room. */
export const pair = (children: readonly Markup[], className: string = ''): Markup =>
  element('div', { class: `pair ${className}`.trim() }, children)

/** Long text in its own type, behind a click. */
export const foldedText = (summary: readonly Child[], text: string): Markup =>
  element('details', {}, [
    element('summary', {}, summary),
    element('pre', { tabindex: '0' }, [text]),
  ])
