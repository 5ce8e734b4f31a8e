/** When an output may overwrite an input: they are touched at one and the same index only. */
import type { Index, Scalar, Stmt } from '@cotangent/core'
import { indexKey } from '../cluster/analysis.ts'
import type { Kernel } from '../kernel.ts'

const loadsIn = (
  body: readonly Stmt[],
  visit: (buffer: string, at: Index, store: boolean) => void,
): void => {
  const seen = new Set<Scalar>()
  const index = (i: Index): void => {
    if (i.tag === 'affine') for (const t of i.terms) index(t.term)
    else if (i.tag === 'floorDivide' || i.tag === 'modulo') index(i.value)
    else if (i.tag === 'data') scalar(i.value)
  }
  const scalar = (x: Scalar): void => {
    if (seen.has(x)) return
    seen.add(x)
    switch (x.tag) {
      case 'literal':
      case 'local':
        return
      case 'load':
        visit(x.buffer, x.at, false)
        index(x.at)
        return
      case 'unary':
      case 'convert':
      case 'bitcast':
        scalar(x.x)
        return
      case 'binary':
      case 'compare':
        scalar(x.x)
        scalar(x.y)
        return
      case 'select':
        for (const part of [x.condition, x.onTrue, x.onFalse]) scalar(part)
        return
      case 'guard':
        for (const part of [x.condition, x.value, x.otherwise]) scalar(part)
        return
      case 'within':
      case 'fromIndex':
        index(x.value)
        return
      default:
        x satisfies never
    }
  }
  for (const s of body) {
    switch (s.tag) {
      case 'comment':
        break
      case 'for':
        loadsIn(s.body, visit)
        break
      case 'while':
        scalar(s.condition)
        loadsIn(s.body, visit)
        break
      case 'if':
        scalar(s.condition)
        loadsIn(s.then, visit)
        loadsIn(s.otherwise, visit)
        break
      case 'let':
      case 'variable':
      case 'assign':
        scalar(s.value)
        break
      case 'store':
        index(s.at)
        scalar(s.value)
        visit(s.buffer, s.at, true)
        break
      default:
        s satisfies never
    }
  }
}

/**
 * True when buffer `output` may be the same memory as buffer `input`: each element is read for the
 * last time before it is written. Shared subexpressions are evaluated where they first occur.
 */
export const mayOverwrite = (kernel: Kernel, input: string, output: string): boolean => {
  const loads = new Set<string>()
  const stores = new Set<string>()
  let readAfterWrite = false
  loadsIn(kernel.body, (buffer, at, store) => {
    if (buffer === input && !store) {
      loads.add(indexKey(at))
      if (stores.size > 0) readAfterWrite = true
    }
    if (buffer === output) (store ? stores : loads).add(indexKey(at))
  })
  return (
    !readAfterWrite &&
    stores.size === 1 &&
    loads.size <= 1 &&
    [...loads].every((key) => stores.has(key))
  )
}

/** The buffers that statements load from and store to. */
export const touchedBuffers = (
  body: readonly Stmt[],
): { readonly loads: ReadonlySet<string>; readonly stores: ReadonlySet<string> } => {
  const loads = new Set<string>()
  const stores = new Set<string>()
  loadsIn(body, (buffer, _, store) => (store ? stores : loads).add(buffer))
  return { loads, stores }
}
