/** Weights that pass their input through. */
import { type Shape, ShapeError, fill, showShape } from '@cotangent/core'
import { np } from '@cotangent/ops'
import type { Initializer } from './basic.ts'

/**
 * The identity matrix times `scale`, for kernels `[inputs, outputs]`: ones on the diagonal, also where it
 * is not square.
 * @throws ShapeError unless there are two axes.
 */
export const identity =
  (scale = 1): Initializer =>
  (_, shape, dtype = 'float32') => {
    if (shape.length !== 2) throw wrongRank('initializers.identity', shape, 'two axes')
    return np.eye(shape[0]!, { M: shape[1]!, dtype }).mul(scale).astype(dtype)
  }

/**
 * For kernels `[outputs, inputs / groups, …window]` of one to three window axes: each output channel is
 * the input channel of its number within its group, others are zeros. PyTorch's `dirac_`.
 * @throws ShapeError for other ranks, or outputs that do not divide into the groups.
 */
export const dirac =
  (groups = 1): Initializer =>
  (_, shape, dtype = 'float32') => {
    if (shape.length < 3 || shape.length > 5) {
      throw wrongRank('initializers.dirac', shape, 'three to five axes')
    }
    const [outputs, inputs, ...window] = [shape[0]!, shape[1]!, ...shape.slice(2)]
    if (outputs % groups !== 0) {
      throw wrongRank('initializers.dirac', shape, `outputs that ${groups} groups divide`)
    }
    const centre = window.map((extent) => Math.floor(extent / 2))
    const each = outputs / groups
    return Array.from({ length: groups }, (_unused, group) => group).reduce(
      (kernel, group) =>
        Array.from({ length: Math.min(each, inputs) }, (_unused, i) => i).reduce(
          (k, i) => k.set([group * each + i, i, ...centre], 1),
          kernel,
        ),
      fill(shape, 0, dtype),
    )
  }

const wrongRank = (operation: string, shape: Shape, want: string): ShapeError =>
  new ShapeError({
    operation,
    problem: 'a kernel of this shape passes nothing through',
    got: `shape ${showShape(shape)}`,
    want,
    fix: 'use another initialiser',
  })
