/** Pairs of loads of every second element each, which together are two whole vectors. */
import { type Scalar, type Stmt, dtypeInfo } from '@cotangent/core'
import { readsData } from '../passes/readable.ts'
import type { Frame } from './frame.ts'
import { constantOf, laneStride, settled, variableKey } from './indices.ts'

type Let = Extract<Stmt, { readonly tag: 'let' }>
type Load = Extract<Scalar, { readonly tag: 'load' }>

/** Two locals: of the elements in even places and of those in odd ones, from where `low` loads its first. */
export interface LoadPair {
  readonly low: Load
  readonly names: readonly [low: string, high: string]
}

/**
 * The pairs among the statements of a block, by the first of the two; null stands for the second.
 */
export const loadPairsIn = (
  frame: Frame,
  body: readonly Stmt[],
): ReadonlyMap<Stmt, LoadPair | null> => {
  const pairs = new Map<Stmt, LoadPair | null>()
  if (frame.lanes !== 4) return pairs
  const waiting = new Map<string, { readonly s: Let; readonly load: Load }>()
  for (const s of body) {
    // What is loaded later may be stored before.
    if (s.tag !== 'let' && s.tag !== 'comment') waiting.clear()
    if (s.tag !== 'let' || s.value.tag !== 'load') continue
    const load = s.value
    const key = keyOf(frame, load)
    if (key === null) continue
    const other = waiting.get(key)
    const gap = other === undefined ? 0 : positionOf(frame, load) - positionOf(frame, other.load)
    if (other === undefined || Math.abs(gap) !== 1) {
      waiting.set(key, { s, load })
      continue
    }
    const inOrder = gap > 0
    const names = inOrder ? ([other.s.name, s.name] as const) : ([s.name, other.s.name] as const)
    pairs.set(other.s, { low: inOrder ? other.load : load, names })
    pairs.set(s, null)
    waiting.delete(key)
  }
  return pairs
}

const positionOf = (frame: Frame, { at }: Load): number => constantOf(settled(frame, at))

const keyOf = (frame: Frame, { dtype, buffer, at }: Load): string | null => {
  // The whole block is looked at before its first statement is printed: data may be in locals that
  // nobody has declared yet.
  if (dtypeInfo[dtype].bytes !== 4 || readsData(at) || laneStride(frame, at) !== 2) return null
  const key = variableKey(settled(frame, at))
  return key === null ? null : `${buffer} ${dtype} ${key}`
}
