/** What a function such as `exp` counts for: the operations that it is written as where there are vectors. */
import {
  type BinaryOp,
  type DType,
  type Scalar,
  type UnaryOp,
  isHalf,
  scalars,
} from '@cotangent/core'
import { scalarsOf } from '../loops/visit.ts'
import { expandBinary, expandUnary } from '../wasm/maths/index.ts'

const { local, unaryOp } = scalars

/** What a function counts for that is left to the host. */
const hostWork = 10

const known = new Map<string, number>()

const remembered = (key: string, count: () => number): number => {
  const found = known.get(key)
  if (found !== undefined) return found
  const made = count()
  known.set(key, made)
  return made
}

/** Half floats are computed with as float32. */
const computed = (dtype: DType): DType => (isHalf(dtype) ? 'float32' : dtype)

/**
 * Operations in one call of `op`, each a vector instruction or more: rare sides of guards are left out, and of
 * `exp` and its kin the shorter form counts, which they take where arguments are known not to be positive.
 */
export const unaryWork = (op: UnaryOp, dtype: DType): number =>
  remembered(`${op} ${dtype}`, () => {
    const x = local(computed(dtype), 'x')
    const forms = [x, unaryOp('negate', unaryOp('absolute', x))].flatMap((argument) => {
      const expansion = expandUnary(op, argument)
      return expansion === null ? [] : [leastIn(expansion, new Set([argument]))]
    })
    return forms.length === 0 ? hostWork : Math.min(...forms)
  })

/** The same for functions of two numbers. */
export const binaryWork = (op: BinaryOp, dtype: DType): number =>
  remembered(`${op} ${dtype}`, () => {
    const [x, y] = [local(computed(dtype), 'x'), local(computed(dtype), 'y')]
    const expansion = expandBinary(op, x, y)
    return expansion === null ? hostWork : leastIn(expansion, new Set([x, y]))
  })

const isFree = ({ tag }: Scalar): boolean =>
  tag === 'literal' || tag === 'local' || tag === 'bitcast' || tag === 'guard'

/** Operations in `s` that are not `seen` yet, on the cheaper side of each guard. */
const leastIn = (s: Scalar, seen: Set<Scalar>): number => {
  if (seen.has(s)) return 0
  seen.add(s)
  const own = isFree(s) ? 0 : 1
  if (s.tag !== 'guard') return scalarsOf(s).reduce((n, x) => n + leastIn(x, seen), own)
  const condition = leastIn(s.condition, seen)
  const sides = [s.value, s.otherwise].map((side) => {
    const after = new Set(seen)
    return { count: leastIn(side, after), after }
  })
  const [value, otherwise] = sides
  const cheaper = value!.count < otherwise!.count ? value! : otherwise!
  for (const node of cheaper.after) seen.add(node)
  return condition + cheaper.count
}
