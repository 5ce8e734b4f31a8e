/** The primitive that calls back into JavaScript with values, when the program runs. */
import {
  type NDArray,
  type Primitive,
  alignBatch,
  areEffectsHeld,
  bind,
  definePrimitive,
  gatherOffsets,
  sizeOf,
  stridesOf,
  variadic,
  wholeEquation,
} from '@cotangent/core'

export interface HostParams {
  /** What it is for, in printed programs. */
  readonly label: string
  /** Leading axes that are batches: it is called once for each example. */
  readonly batchAxes: number
  readonly call: (inputs: readonly NDArray[]) => void
}

const run = (inputs: readonly NDArray[], { batchAxes, call }: HostParams): readonly NDArray[] => {
  const batch = inputs[0]?.shape.slice(0, batchAxes) ?? []
  // Offsets count examples: every input has the same batch axes in front.
  for (const example of gatherOffsets(batch, stridesOf(batch))) {
    call(
      inputs.map(({ shape, dtype, data }) => {
        const inner = shape.slice(batchAxes)
        const size = sizeOf(inner)
        return { shape: inner, dtype, data: data.subarray(example * size, (example + 1) * size) }
      }),
    )
  }
  return []
}

/**
 * Has no outputs. It sees the values of the forward computation only: it has no tangent, and
 * nothing to transpose.
 */
export const hostP: Primitive<readonly string[], HostParams> = definePrimitive({
  name: 'host',
  slots: variadic,
  typing: () => [],
  evaluate: (inputs, params) => (areEffectsHeld() ? [] : run(inputs, params)),
  jvp: (inputs, _, params) => ({ outputs: bind(hostP, inputs, params), tangents: [] }),
  transpose: (_, inputs) => inputs.map(() => null),
  partition: wholeEquation,
  batch: (inputs, dims, params, { size }) => {
    const batched = { ...params, batchAxes: params.batchAxes + 1 }
    return { outputs: bind(hostP, alignBatch(inputs, dims, size), batched), dims: [] }
  },
  lower: (_, params) => ({
    tag: 'region',
    region: { kind: 'host', call: (inputs) => run(inputs, params) },
  }),
  effectful: true,
})
