/** Tensors as text, the way NumPy prints them. */
import type { NDArray } from './primitive.ts'

/** Arrays beyond this many elements are shown with their middles left out. */
const threshold = 1000
const edge = 3

const showNumber = (dtype: string, value: number): string => {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true'
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value)
  return String(Number(value.toPrecision(dtype === 'float64' ? 15 : 7)))
}

/** `[[1, 2], [3, 4]]` with aligned columns and one row a line; long axes are shortened. */
export const formatTensor = ({ shape, dtype, data }: NDArray): string => {
  if (shape.length === 0) return showNumber(dtype, data[0]!)
  const shorten = data.length > threshold
  const cells = shorten ? [] : Array.from(data, (value) => showNumber(dtype, value))
  const width = Math.max(0, ...cells.map((cell) => cell.length))
  const build = (axis: number, offset: number, size: number): string => {
    if (axis === shape.length) return showNumber(dtype, data[offset]!).padStart(width)
    const extent = shape[axis]!
    const inner = extent === 0 ? 0 : size / extent
    const part = (i: number): string => build(axis + 1, offset + i * inner, inner)
    const positions = Array.from({ length: extent }, (_, i) => i)
    const parts =
      shorten && extent > 2 * edge
        ? [...positions.slice(0, edge).map(part), '...', ...positions.slice(-edge).map(part)]
        : positions.map(part)
    const last = axis === shape.length - 1
    return `[${parts.join(last ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`
  }
  return build(0, 0, data.length)
}
