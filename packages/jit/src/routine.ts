/** A primitive that brings statements of its own (sort, scatter, cumulative sums) as one kernel. */
import { type Buffer, type Equation, type Lowering, type Shape, sizeOf } from '@cotangent/core'
import { kernelName } from './cluster/name.ts'
import type { KernelBuffer } from './kernel.ts'
import { touchedBuffers } from './plan/inPlace.ts'
import { type KernelStep, Scratch, type Slot, typeOf } from './program.ts'

type Routine = Extract<Lowering, { readonly tag: 'routine' }>

export const routineStep = (
  equation: Equation,
  lowering: Routine,
  inputs: readonly Slot[],
): KernelStep => {
  const { outputs } = equation
  const scratch = lowering.scratch.map((s) => new Scratch({ ...s, weak: false }))
  const names = new Map<Slot, string>()
  const name = (slots: readonly Slot[], prefix: string): void => {
    for (const slot of slots) if (!names.has(slot)) names.set(slot, `${prefix}${names.size}`)
  }
  name(inputs, 'in')
  name(outputs, 'out')
  name(scratch, 'tmp')
  const buffer = (slot: Slot, shape: Shape): Buffer => ({
    name: names.get(slot)!,
    shape,
    dtype: typeOf(slot).dtype,
  })
  const body = lowering.emit(
    // One array may come as several inputs, under shapes of its own.
    inputs.map((slot, i) => buffer(slot, equation.inputs[i]!.aval.shape)),
    outputs.map((v) => buffer(v, v.aval.shape)),
    scratch.map((s) => buffer(s, s.type.shape)),
  )
  const { loads, stores } = touchedBuffers(body)
  const touched = [...names].filter(([, n]) => loads.has(n) || stores.has(n))
  const copies = lowering.inPlace.flatMap((input, o) =>
    input === null ? [] : [{ from: inputs[input]!, to: outputs[o]! }],
  )
  const access = (slot: Slot, n: string): KernelBuffer['access'] => {
    if (!stores.has(n)) return 'read'
    return loads.has(n) || copies.some((c) => c.to === slot) ? 'readwrite' : 'write'
  }
  const buffers = touched.map(([slot, n]): KernelBuffer => {
    const { shape, dtype } = typeOf(slot)
    return { name: n, dtype, size: sizeOf(shape), access: access(slot, n) }
  })
  const root = { shape: outputs[0]!.aval.shape, outputs }
  return {
    tag: 'kernel',
    kernel: { name: kernelName([equation], [root]), buffers, body },
    arguments: touched.map(([slot]) => slot),
    copies,
    equations: [equation],
    writesOnce: false,
  }
}
