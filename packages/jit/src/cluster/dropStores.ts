/** Memory that nothing reads is not written: the values lived in locals. */
import type { Atom, Stmt } from '@cotangent/core'
import type { EmittedKernel } from './emit.ts'

/** Drops stores to memory that nothing reads; the values lived in locals. */
export const dropStores = (
  emitted: EmittedKernel,
  isRead: (atom: Atom) => boolean,
): EmittedKernel => {
  const dead = new Set(
    emitted.arguments.flatMap((atom, i) => (isRead(atom) ? [] : [emitted.kernel.buffers[i]!.name])),
  )
  if (dead.size === 0) return emitted
  const clean = (body: readonly Stmt[]): readonly Stmt[] =>
    body.flatMap((s): readonly Stmt[] => {
      if (s.tag === 'store') return dead.has(s.buffer) ? [] : [s]
      if (s.tag === 'for' || s.tag === 'while') return [{ ...s, body: clean(s.body) }]
      if (s.tag === 'if') return [{ ...s, then: clean(s.then), otherwise: clean(s.otherwise) }]
      return [s]
    })
  const kept = emitted.kernel.buffers.map((b) => !dead.has(b.name))
  return {
    ...emitted,
    kernel: {
      ...emitted.kernel,
      buffers: emitted.kernel.buffers.filter((_, i) => kept[i]!),
      body: clean(emitted.kernel.body),
    },
    arguments: emitted.arguments.filter((_, i) => kept[i]!),
  }
}
