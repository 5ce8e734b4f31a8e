/** Pairs of stores to every second element each, which together fill whole vectors. */
import { type Stmt, dtypeInfo } from '@cotangent/core'
import { walk } from '../../loops/visit.ts'
import type { Frame } from './frame.ts'
import { constantOf, laneStride, settled, variableKey } from './indices.ts'

type Store = Extract<Stmt, { readonly tag: 'store' }>

/** What becomes of a store: it waits for the other one, or both are written. */
export type Turn =
  | { readonly tag: 'first' }
  | { readonly tag: 'second'; readonly first: Store; readonly isLow: boolean }

/** The pairs among the statements of a block, which the printer's loops with lanes surround. */
export const turnsIn = (frame: Frame, body: readonly Stmt[]): ReadonlyMap<Stmt, Turn> => {
  const turns = new Map<Stmt, Turn>()
  if (frame.lanes !== 4) return turns
  const waiting = new Map<string, Store>()
  for (const s of body) {
    if (s.tag === 'for' || s.tag === 'while' || s.tag === 'if') {
      waiting.clear()
      continue
    }
    if (waiting.size > 0) for (const name of readIn(s)) forget(waiting, name)
    if (s.tag !== 'store') continue
    const key = keyOf(frame, s)
    if (key === null) {
      forget(waiting, s.buffer)
      continue
    }
    const other = waiting.get(key)
    const gap = other === undefined ? 0 : positionOf(frame, s) - positionOf(frame, other)
    if (other !== undefined && Math.abs(gap) === 1) {
      turns.set(other, { tag: 'first' })
      turns.set(s, { tag: 'second', first: other, isLow: gap < 0 })
      waiting.delete(key)
      continue
    }
    // Of what waits for one buffer, all may lie anywhere: only the latest is sure to be in order.
    forget(waiting, s.buffer)
    waiting.set(key, s)
  }
  return turns
}

const positionOf = (frame: Frame, s: Store): number => constantOf(settled(frame, s.at))

const keyOf = (frame: Frame, s: Store): string | null => {
  const { dtype } = s.value
  if (dtypeInfo[dtype].bytes !== 4 || laneStride(frame, s.at) !== 2) return null
  const key = variableKey(settled(frame, s.at))
  return key === null ? null : `${s.buffer} ${dtype} ${key}`
}

const readIn = (s: Stmt): ReadonlySet<string> => {
  const names = new Set<string>()
  walk({
    scalar: (x) => {
      if (x.tag === 'load') names.add(x.buffer)
    },
  }).body([s])
  return names
}

const forget = (waiting: Map<string, Store>, buffer: string): void => {
  for (const [key, s] of waiting) if (s.buffer === buffer) waiting.delete(key)
}
