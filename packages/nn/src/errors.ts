/** Errors of layers whose input does not fit. */
import { IndexError, type Shape, ShapeError, UnsupportedError, showShape } from '@cotangent/core'

/** @throws ShapeError unless the shape has this many axes. */
export const requireRank = (
  layer: string,
  shape: Shape,
  isRight: (rank: number) => boolean,
  want: string,
): void => {
  if (isRight(shape.length)) return
  throw new ShapeError({
    operation: layer,
    problem: 'the input has the wrong number of axes',
    got: `shape ${showShape(shape)}`,
    want,
    fix: 'reshape the input, or put flatten() or another layer before this one',
  })
}

/** @throws ShapeError unless the axis has the extent that the layer's parameters are for. */
export const requireExtent = (
  layer: string,
  shape: Shape,
  axis: number,
  want: number,
  what: string,
): void => {
  const got = shape[axis]
  if (got === want) return
  throw new ShapeError({
    operation: layer,
    problem: `axis ${axis} (${what}) of the input does not fit the parameters`,
    got: `extent ${got ?? 'none'} in shape ${showShape(shape)}`,
    want: `${want} ${what}`,
    fix: 'initialise the layer with the shape of the input it will get',
  })
}

/** @throws IndexError unless a size that a layer is made with is a positive integer. */
export const requireSize = (layer: string, what: string, size: number): void => {
  if (Number.isInteger(size) && size > 0) return
  throw new IndexError({
    operation: layer,
    problem: `the number of ${what} is out of range`,
    got: String(size),
    want: 'a positive integer',
    fix: `say how many ${what} the layer gives`,
  })
}

/** @throws UnsupportedError unless one of two options is given, and one alone. */
export const requireEither = (
  layer: string,
  options: Readonly<Record<string, unknown>>,
  examples: string,
): void => {
  const names = Object.keys(options)
  const given = names.filter((name) => options[name] !== undefined)
  if (given.length === 1) return
  throw new UnsupportedError({
    operation: layer,
    problem: `it takes one of the options ${names.join(' and ')}`,
    got: given.length === 0 ? 'neither' : 'both',
    want: names.join(' or '),
    fix: `give one of them: ${examples}`,
  })
}
