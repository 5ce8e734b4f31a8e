/** How far back one output looks. */
import { type Shape, Tensor } from '@cotangent/core'
import { type Layout, type WindowGeometry, reachOf, spatialOf } from '../functional/window.ts'
import type { Traits } from '../layer.ts'

/** Along each spatial axis of the network's input: what one element sees, and the step to the next. */
export interface Field {
  readonly size: readonly number[]
  readonly step: readonly number[]
  readonly layout: Layout
}

/** A window on top of a field: size + (reach − 1) · step, and step · stride. */
const through = (field: Field, { kernel, stride, dilation }: WindowGeometry): Field => ({
  ...field,
  size: field.size.map((n, d) => n + (reachOf(kernel[d]!, dilation[d]!) - 1) * field.step[d]!),
  step: field.step.map((n, d) => n * stride[d]!),
})

const everything = (field: Field, shape: Shape): Field => {
  if (shape.length !== field.size.length + 2) return field
  const kernel = spatialOf(field.layout, shape)
  const ones = kernel.map(() => 1)
  return through(field, { kernel, stride: ones, dilation: ones })
}

/** The field after a layer; null where no layer had a window yet. */
export const fieldAfter = (
  before: Field | null,
  { window, layout }: Traits,
  shape: Shape | undefined,
): Field | null => {
  if (window === undefined || shape === undefined) return before
  const start = (rank: number): Field => {
    const ones = Array.from({ length: rank }, () => 1)
    return { size: ones, step: ones, layout: layout ?? 'NCHW' }
  }
  if (window === 'all') {
    const field = before ?? (shape.length > 2 ? start(shape.length - 2) : null)
    return field === null ? null : everything(field, shape)
  }
  const geometry = window(shape)
  return through(before ?? start(geometry.kernel.length), geometry)
}

const larger = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.map((n, d) => Math.max(n, b[d] ?? n))

/** Where several ways meet, one sees what the farthest-looking of them sees. */
export const widest = (fields: readonly (Field | null)[]): Field | null =>
  fields.reduce<Field | null>((a, b) => {
    if (a === null || b === null) return a ?? b
    return { layout: a.layout, size: larger(a.size, b.size), step: larger(a.step, b.step) }
  }, null)

/** The tensors of a value: one, or those of a list or record. */
export const tensorsOf = (value: unknown): readonly Tensor[] => {
  if (value instanceof Tensor) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(tensorsOf)
}
