// node docs/images/pipeline.mjs: draws pipeline.svg, the way of a function from source to kernel, with
// what the library itself prints. Needs a build.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { grad, jit, makeIR, np } from '../../packages/cotangent/dist/index.js'

const f = (x) => x.sin().mul(x).sum()
const x = np.ones([1000])
const kernel = jit(grad(f))
  .lower(x)
  .kernels[0].source.replace(/\n\/\/# sourceURL.*/s, '')
  .trim()

const size = 11.5
const charWidth = size * 0.602
const lineHeight = 17
const padding = 14
const titleHeight = 30
const gap = 44

const colours = {
  name: '#1d4ed8',
  number: '#b45309',
  word: '#7c3aed',
  plain: '#1f2430',
  dim: '#8a90a0',
}
const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const words = /\b(const|let|for|function|return)\b/
const names =
  /\b(sin|cos|mul|add|sum|reduceSum|fill|broadcastInDim|Math\.fround|\$sin|\$cos|grad|jit|makeIR)\b|\$(sin|cos)/
const token = new RegExp(
  `(${words.source}|${names.source}|\\b\\d+\\b|f32\\[\\d*\\]|\\[[a-z]+=.*\\])`,
  'g',
)

const colourOf = (text) => {
  if (/^(\[|f32)/.test(text)) return colours.dim
  if (words.test(text)) return colours.word
  return /^\d/.test(text) ? colours.number : colours.name
}

const codeLine = (line) => {
  let out = ''
  let last = 0
  for (const match of line.matchAll(token)) {
    out += escape(line.slice(last, match.index))
    out += `<tspan fill="${colourOf(match[0])}">${escape(match[0])}</tspan>`
    last = match.index + match[0].length
  }
  return out + escape(line.slice(last))
}

const measure = ({ text }) => {
  const lines = text.split('\n')
  const longest = Math.max(...lines.map((line) => line.length))
  return {
    width: longest * charWidth + 2 * padding,
    height: titleHeight + lines.length * lineHeight + padding,
  }
}

const panel = ({ title, text }, left, top, { width, height }) => {
  const code = text.split('\n').map((line, i) => {
    const y = top + titleHeight + 13 + i * lineHeight
    return `<text class="code" x="${left + padding}" y="${y}" xml:space="preserve">${codeLine(line)}</text>`
  })
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="8" class="panel"/>`,
    `<text class="title" x="${left + padding}" y="${top + 22}">${escape(title)}</text>`,
    ...code,
  ].join('\n')
}

const arrow = (d, label, at) =>
  `<path class="arrow" d="${d}" marker-end="url(#head)"/><text class="label" x="${at[0]}" y="${at[1]}">${label}</text>`

const panels = [
  { title: 'your function', text: 'const f = (x) =>\n  x.sin().mul(x).sum()' },
  { title: 'makeIR(f)', text: String(makeIR(f)(x)) },
  { title: 'makeIR(grad(f))', text: String(makeIR(grad(f))(x)) },
]
const boxes = panels.map(measure)
const margin = 16
const row = Math.max(...boxes.map((box) => box.height))
const lefts = boxes.map(
  (_, i) => margin + boxes.slice(0, i).reduce((sum, box) => sum + box.width + gap, 0),
)
const total = lefts[2] + boxes[2].width + margin
const last = { title: 'jit(grad(f)).lower(x).source: one kernel, one loop', text: kernel }
const lastTop = margin + row + gap
const lastBox = { width: total - 2 * margin, height: measure(last).height }
const height = lastTop + lastBox.height + margin

const middle = margin + 46
const across = (i, label) => {
  const from = lefts[i] + boxes[i].width
  return arrow(`M${from + 4},${middle} H${from + gap - 8}`, label, [from + gap / 2 - 2, middle - 9])
}
const down = lefts[2] + boxes[2].width / 2

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.round(total)} ${Math.round(height)}" role="img" aria-label="A function, its graph, the graph of its gradient, and the one kernel that computes it">
<style>
.panel{fill:#fff;stroke:#d8dce6}
.code{font:${size}px ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace;fill:${colours.plain}}
.title{font:600 13px system-ui,'DejaVu Sans',sans-serif;fill:#111827}
.label{font:11px system-ui,'DejaVu Sans',sans-serif;fill:#4b5563;text-anchor:middle}
.arrow{stroke:#6b7280;stroke-width:1.6;fill:none}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#6b7280"/></marker></defs>
<rect width="100%" height="100%" rx="10" fill="#f6f7fb"/>
${panels.map((p, i) => panel(p, lefts[i], margin, boxes[i])).join('\n')}
${panel(last, margin, lastTop, lastBox)}
${across(0, 'trace')}
${across(1, 'grad')}
${arrow(`M${down},${margin + boxes[2].height + 4} V${lastTop - 8}`, 'jit', [down + 16, lastTop - gap / 2 + 2])}
</svg>
`
writeFileSync(fileURLToPath(new URL('pipeline.svg', import.meta.url)), svg)
