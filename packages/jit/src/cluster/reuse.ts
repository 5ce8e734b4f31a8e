/** Memory that only one kernel needs can be that of a result which takes its place, element by element. */
import { type Atom, type Scalar, type Stmt, isVar } from '@cotangent/core'
import { mapBody, mapIndex, mapScalar, mapStmt } from '../loops/rewrite.ts'
import { effectsOf } from '../loops/visit.ts'
import { mayOverwrite } from '../plan/inPlace.ts'
import type { EmittedKernel } from './emit.ts'

/** The kernel with as few arrays of its own as possible; `isRead` by anybody else. */
export const reuseMemory = (
  emitted: EmittedKernel,
  isRead: (atom: Atom) => boolean,
): EmittedKernel => {
  // Elsewhere stores may come in any order.
  if (!emitted.writesOnce) return emitted
  let made = emitted
  for (const [n, atom] of emitted.arguments.entries()) {
    const own = emitted.kernel.buffers[n]!
    if (!isVar(atom) || own.access !== 'readwrite' || isRead(atom)) continue
    const other = made.kernel.buffers.find(
      (b) =>
        b.access === 'write' &&
        b.dtype === own.dtype &&
        b.size === own.size &&
        isWrittenLater(made, own.name, b.name) &&
        mayOverwrite(made.kernel, own.name, b.name, true),
    )
    if (other !== undefined) made = merged(made, own.name, other.name)
  }
  return made
}

// Every store to the first comes before any to the other, round for round of the loops around both.
const isWrittenLater = ({ kernel }: EmittedKernel, first: string, other: string): boolean => {
  const inside = (body: readonly Stmt[]): boolean => {
    const stores = body.map((s) => effectsOf([s]).stored)
    const last = stores.findLastIndex((s) => s.has(first))
    const start = stores.findIndex((s) => s.has(other))
    if (last < start || last < 0 || start < 0) return true
    const s = body[start]!
    return last === start && (s.tag === 'for' || s.tag === 'while') && inside(s.body)
  }
  return inside(kernel.body)
}

const merged = (emitted: EmittedKernel, from: string, to: string): EmittedKernel => {
  const { kernel } = emitted
  const memo = new Map<Scalar, Scalar>()
  const scalar = (s: Scalar): Scalar => {
    const known = memo.get(s)
    if (known !== undefined) return known
    const inner = mapScalar(s, scalar, index)
    const made = inner.tag === 'load' && inner.buffer === from ? { ...inner, buffer: to } : inner
    memo.set(s, made)
    return made
  }
  const index = (i: Parameters<typeof mapIndex>[0]): typeof i => mapIndex(i, index, scalar)
  const block = (body: readonly Stmt[]): readonly Stmt[] =>
    mapBody(body, (s) => {
      const made = mapStmt(s, scalar, index, block)
      return made.tag === 'store' && made.buffer === from ? { ...made, buffer: to } : made
    })
  const kept = kernel.buffers.map((b) => b.name !== from)
  return {
    ...emitted,
    // What is read between the two stores must not be overwritten by the first.
    writesOnce: false,
    kernel: {
      ...kernel,
      body: block(kernel.body),
      buffers: kernel.buffers
        .filter((_, n) => kept[n]!)
        .map((b) => (b.name === to ? { ...b, access: 'readwrite' as const } : b)),
    },
    arguments: emitted.arguments.filter((_, n) => kept[n]!),
  }
}
