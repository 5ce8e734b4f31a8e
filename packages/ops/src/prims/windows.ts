/** The geometry of sliding windows: output extents, which elements a window covers, and padding. */
import { type Shape, ShapeError, range, showShape } from '@cotangent/core'

/** Elements added in front and behind; negative numbers crop. */
export type Padding = readonly (readonly [low: number, high: number])[]

/** How a window moves over an array: one entry an axis everywhere. */
export interface Windowing {
  readonly window: Shape
  readonly strides: readonly number[]
  readonly padding: Padding
  /** Zeros between elements of the input: `d` spreads neighbours `d` apart. */
  readonly inputDilation: readonly number[]
  /** The distance between neighbouring elements of the window. */
  readonly windowDilation: readonly number[]
}

/** What a caller may leave out: strides and dilations are 1, padding 0. */
export interface WindowOptions {
  readonly window: Shape
  readonly strides?: readonly number[]
  readonly padding?: Padding
  readonly inputDilation?: readonly number[]
  readonly windowDilation?: readonly number[]
}

export const fullWindowing = (options: WindowOptions): Windowing => {
  const ones = options.window.map(() => 1)
  return {
    window: options.window,
    strides: options.strides ?? ones,
    padding: options.padding ?? options.window.map((): readonly [number, number] => [0, 0]),
    inputDilation: options.inputDilation ?? ones,
    windowDilation: options.windowDilation ?? ones,
  }
}

/** The same windows, one batch axis in front. */
export const batchedWindowing = (w: Windowing): Windowing => ({
  window: [1, ...w.window],
  strides: [1, ...w.strides],
  padding: [[0, 0], ...w.padding],
  inputDilation: [1, ...w.inputDilation],
  windowDilation: [1, ...w.windowDilation],
})

/** An extent after dilation. */
export const dilated = (extent: number, dilation: number): number =>
  extent === 0 ? 0 : (extent - 1) * dilation + 1

/** How many windows fit along each axis. */
export const windowOutputShape = (shape: Shape, w: Windowing): Shape =>
  shape.map((extent, d) => {
    const [low, high] = w.padding[d]!
    const room = dilated(extent, w.inputDilation[d]!) + low + high
    const reach = dilated(w.window[d]!, w.windowDilation[d]!)
    return room < reach ? 0 : Math.floor((room - reach) / w.strides[d]!) + 1
  })

/** Throws unless there is one sound entry an axis. */
export const checkWindowing = (operation: string, shape: Shape, w: Windowing): void => {
  const rank = shape.length
  const refuse = (problem: string, got: string): ShapeError =>
    new ShapeError({
      operation,
      problem,
      got: `${got} over axes ${showShape(shape)}`,
      fix: 'give windows and strides of at least 1 that fit the padded input',
    })
  const perAxis = [
    ['window', w.window, 0],
    ['strides', w.strides, 1],
    ['input dilation', w.inputDilation, 1],
    ['window dilation', w.windowDilation, 1],
  ] as const
  for (const [name, values, least] of perAxis) {
    if (values.length !== rank)
      throw refuse(`${name}: one entry an axis is needed`, showShape(values))
    if (!values.every((v) => Number.isInteger(v) && v >= least)) {
      throw refuse(`${name}: integers of at least ${least} are needed`, showShape(values))
    }
  }
  const sound = w.padding.length === rank && w.padding.flat().every(Number.isInteger)
  if (!sound) throw refuse('padding: one [low, high] an axis is needed', JSON.stringify(w.padding))
}

/** Padding under which a window slid over the cotangent of the output gives that of the input. */
export const inputCotangentPadding = (shape: Shape, outputs: Shape, w: Windowing): Padding =>
  range(shape.length).map((d) => {
    const reach = dilated(w.window[d]!, w.windowDilation[d]!)
    const low = reach - w.padding[d]![0] - 1
    const spread = dilated(outputs[d]!, w.strides[d]!)
    return [low, dilated(shape[d]!, w.inputDilation[d]!) + reach - 1 - spread - low]
  })
