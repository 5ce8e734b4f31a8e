/** Shapes and row-major arithmetic on them. */

export type Shape = readonly number[]

/** The number of elements: the product of the extents, 1 for a scalar. */
export const sizeOf = (shape: Shape): number => {
  let size = 1
  for (let d = 0; d < shape.length; d++) size *= shape[d]!
  return size
}

/** Row-major strides in elements. `[2, 3, 4]` gives `[12, 4, 1]`. */
export const stridesOf = (shape: Shape): readonly number[] => {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride
    stride *= shape[d]!
  }
  return strides
}

export const sameShape = (a: Shape, b: Shape): boolean => {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false
  return true
}

/** NumPy's broadcasting of shapes, or null where they do not fit. */
export const broadcastShapes = (...shapes: readonly Shape[]): Shape | null => {
  let rank = 0
  for (const { length } of shapes) if (length > rank) rank = length
  const result: number[] = []
  for (let d = 0; d < rank; d++) {
    let extent = 1
    for (const shape of shapes) {
      const here = shape[shape.length - rank + d] ?? 1
      if (here === 1) continue
      if (extent !== 1 && extent !== here) return null
      extent = here
    }
    result.push(extent)
  }
  return result
}

/** `[2,3]` as text. */
export const showShape = (shape: Shape): string => `[${shape.join(',')}]`

/** `0 … n-1`. */
export const range = (n: number): readonly number[] => {
  const numbers = new Array<number>(n)
  for (let i = 0; i < n; i++) numbers[i] = i
  return numbers
}

/** A copy without the entries at the given positions. */
export const without = <T>(items: readonly T[], positions: readonly number[]): readonly T[] =>
  items.filter((_, i) => !positions.includes(i))

/** A copy with `item` put in at `position`. */
export const inserted = <T>(items: readonly T[], position: number, item: T): readonly T[] => [
  ...items.slice(0, position),
  item,
  ...items.slice(position),
]

/** A copy with the entry at `position` replaced. */
export const replaced = <T>(items: readonly T[], position: number, item: T): readonly T[] =>
  items.map((x, i) => (i === position ? item : x))

/** The permutation that undoes `permutation`. */
export const inversePermutation = (permutation: readonly number[]): readonly number[] => {
  const inverse = new Array<number>(permutation.length)
  permutation.forEach((from, to) => {
    inverse[from] = to
  })
  return inverse
}
