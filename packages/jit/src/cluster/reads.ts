/** What a root of a kernel reads. */
import { scalars } from '@cotangent/core'
import { lowerEquation } from '../passes/lowering.ts'
import { type Analysis, Reader, memoryOf } from './analysis.ts'
import { outputCounters } from './probe.ts'
import type { Read, Root } from './unit.ts'

/** Every element of memory that computing one element of the root reads. */
export const readsOf = (root: Root, analysis: Analysis): readonly Read[] => {
  if (analysis.probes.get(root.equation)!.lowering.tag === 'tiles') {
    return root.equation.inputs.map((x) => ({ atom: memoryOf(x, analysis.aliases), index: [] }))
  }
  const reads: Read[] = []
  const reader = new Reader(analysis, (atom, index) => {
    reads.push({ atom: memoryOf(atom, analysis.aliases), index })
    return scalars.local(atom.aval.dtype, `read${reads.length}`)
  })
  const index = outputCounters(root.shape)
  const lowering = lowerEquation(root.equation, reader.pullsOf(root.equation))
  if (lowering.tag === 'pull') for (const pull of lowering.outputs) pull(index)
  if (lowering.tag === 'reduce') {
    const { accumulators, extents, step } = lowering.reduction
    step(
      accumulators.map((a, i) => scalars.local(a.dtype, `acc${i}`)),
      index,
      outputCounters(extents, 'k'),
    )
  }
  return reads
}
