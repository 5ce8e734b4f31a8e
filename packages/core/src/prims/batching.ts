/** How batching rules put the batch axis first. */
import type { BatchDim } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { broadcastFront, moveAxis } from './structural.ts'

/** Every input with the batch axis at the front; unbatched ones are repeated. */
export const alignBatch = (
  inputs: readonly Tensor[],
  dims: readonly BatchDim[],
  size: number,
): readonly Tensor[] =>
  inputs.map((x, i) => {
    const dim = dims[i] ?? null
    return dim === null ? broadcastFront(x, size) : moveAxis(x, dim, 0)
  })
