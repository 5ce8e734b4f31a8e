/**
 * Guards around much work become statements: a variable with the other value, and a branch that
 * overwrites it. Expressions inside a branch are shared like any others, where those inside a guard
 * are printed as often as they are used. Lanes take the branch when any of them must.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { branching, freshNames, gathering, scalarsOf } from '../../loops/visit.ts'
import { mapData, mapScalar, mapStmt, replaceEach, withBodies } from '../../loops/rewrite.ts'

const { across, local, selectOp } = scalars

type Guard = Extract<Scalar, { readonly tag: 'guard' }>
type Fresh = (prefix: string) => string

/** Fewer nodes than this are printed where they stand. */
const muchWork = 24

/** Makes branches of large guards, except in the conditions of `while`. */
export const branchOnGuards = (body: readonly Stmt[]): readonly Stmt[] =>
  block(body, freshNames(body), false)

/** Whether lanes may differ in the condition: the value reads nothing that may be out of bounds. */
export const isChoiceOfLanes = (s: Guard): boolean => workBehind(s).loads === 0

/** What the value of a guard computes that the other value and the condition do not. */
const workBehind = (s: Guard): { readonly nodes: number; readonly loads: number } => {
  const done = new Set<Scalar>()
  const always = (x: Scalar): void => {
    if (done.has(x)) return
    done.add(x)
    // Nested guards may not compute theirs.
    for (const child of x.tag === 'guard' ? [x.condition, x.otherwise] : scalarsOf(x)) always(child)
  }
  always(s.condition)
  always(s.otherwise)
  let [nodes, loads] = [0, 0]
  const visit = (x: Scalar): void => {
    if (done.has(x)) return
    done.add(x)
    nodes++
    if (x.tag === 'load') loads++
    for (const child of scalarsOf(x)) visit(child)
  }
  visit(s.value)
  return { nodes, loads }
}

const guardsIn = gathering<Guard>((add) => ({
  scalar: (s) => {
    if (s.tag === 'guard') add(s)
  },
}))

const block = (body: readonly Stmt[], fresh: Fresh, inLanes: boolean): readonly Stmt[] => {
  if (guardsIn(body).length === 0) return body
  return replaceEach(body, (s) => {
    if (s.tag === 'comment') return s
    if (s.tag === 'for' || s.tag === 'while') {
      const within = inLanes || (s.tag === 'for' && s.lanes !== undefined)
      return withBodies(s, (inner) => block(inner, fresh, within))
    }
    const before: Stmt[] = []
    const { scalar, index } = makeRewrite(before, fresh, inLanes, new Map())
    const made = mapStmt(s, scalar, index, (inner) => block(inner, fresh, inLanes))
    return before.length === 0 ? made : [...before, made]
  })
}

interface Rewrite {
  readonly scalar: (s: Scalar) => Scalar
  readonly index: (i: Index) => Index
}

/** Puts the branches of large guards into `before`. */
const makeRewrite = (
  before: Stmt[],
  fresh: Fresh,
  inLanes: boolean,
  memo: Map<Scalar, Scalar>,
): Rewrite => {
  const scalar = (s: Scalar): Scalar => {
    const known = memo.get(s)
    if (known !== undefined) return known
    const made = s.tag === 'guard' ? guarded(s) : mapScalar(s, scalar, index)
    memo.set(s, made)
    return made
  }
  const index = (i: Index): Index => mapData(i, scalar)
  const guarded = (s: Guard): Scalar => {
    const condition = scalar(s.condition)
    const otherwise = scalar(s.otherwise)
    const { nodes, loads } = workBehind(s)
    if (nodes < muchWork) {
      if (!inLanes || loads > 0) return { ...s, condition, otherwise }
      return selectOp(condition, scalar(s.value), otherwise)
    }
    const name = fresh('g')
    const variable = local(s.dtype, name)
    before.push({ tag: 'variable', name, value: otherwise })
    const inside: Stmt[] = []
    const value = makeRewrite(inside, fresh, inLanes, new Map(memo)).scalar(s.value)
    const chosen = inLanes ? selectOp(condition, value, variable) : value
    inside.push({ tag: 'assign', name, value: chosen })
    before.push(branching(inLanes ? across('or', condition) : condition, inside, []))
    return variable
  }
  return { scalar, index }
}
