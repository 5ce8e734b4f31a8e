/** Running the parts of a layer: their keys, their place in messages, and who watches. */
import {
  CotangentError,
  CompileError,
  DTypeError,
  IndexError,
  NumericsError,
  ShapeError,
  type Tensor,
  TracerError,
  TreeError,
  UnsupportedError,
} from '@cotangent/core'
import { random } from '@cotangent/ops'
import {
  type Initialized,
  type Mode,
  type Part,
  type Scope,
  type Shapes,
  type Variables,
  none,
  requireKey,
} from '../layer.ts'

/** Trees by the names of the parts. */
export type Tree = Readonly<Record<string, unknown>>
export type Branch = readonly [name: string, tree: unknown]

const isEmpty = (tree: unknown): boolean =>
  typeof tree === 'object' && tree !== null && Object.keys(tree).length === 0

/** The tree of the parts that have anything. */
export const treeOf = (branches: readonly Branch[]): Tree =>
  Object.freeze(Object.fromEntries(branches.filter(([, tree]) => !isEmpty(tree))))

/** A scope for one call of the outermost layer. */
export const newScope = (): Scope => ({ shared: new Map() })

/** The mode of a layer's parts, with a scope. */
export const scoped = (mode: Mode): Mode & { readonly scope: Scope } => ({
  ...mode,
  scope: mode.scope ?? newScope(),
})

const kinds = [
  ShapeError,
  DTypeError,
  TreeError,
  TracerError,
  IndexError,
  UnsupportedError,
  CompileError,
  NumericsError,
] as const

interface Located {
  readonly error: CotangentError
  readonly path: readonly string[]
}
// Where an error that was passed on came from, so that the path grows from the inside out.
const places = new WeakMap<Error, Located>()

const relocated = (caught: unknown, name: string): unknown => {
  if (!(caught instanceof CotangentError)) return caught
  const { error, path } = places.get(caught) ?? { error: caught, path: [] }
  const Kind = kinds.find((kind) => error instanceof kind)
  if (Kind === undefined) return caught
  const whole = [name, ...path]
  const place = whole.length > 1 ? ` (in ${whole.slice(0, -1).join('.')})` : ''
  const { got, want, fix, location } = error
  const report = {
    operation: `${whole[whole.length - 1]!}${place}`,
    problem: `${error.operation}: ${error.problem}`,
    ...(got === undefined ? {} : { got }),
    ...(want === undefined ? {} : { want }),
    fix,
  }
  const moved = new Kind(report, location)
  places.set(moved, { error, path: whole })
  return moved
}

/** Runs something of a part; errors then say which part, and in which layers it lies. */
export const within = <T>(name: string, f: () => T): T => {
  try {
    return f()
  } catch (error) {
    throw relocated(error, name)
  }
}

/** Initialises part number `i`. */
export const initPart = (
  [name, layer]: Part,
  i: number,
  key: Tensor,
  shape: Shapes,
  scope: Scope,
): Initialized<unknown, unknown, Shapes> =>
  within(name, () => layer.init(random.foldIn(key, i), shape, scope))

/** Applies part number `i` to its branches of the trees. */
export const applyPart = (
  part: Part,
  i: number,
  { params, state }: Variables<Tree, Tree>,
  x: unknown,
  mode: Mode & { readonly scope: Scope },
): readonly [output: unknown, state: unknown] => {
  const [name, layer] = part
  const { train, scope } = mode
  const draws = layer.isRandom && train === true
  return within(name, () => {
    const key = draws ? random.foldIn(requireKey(layer.name, mode), i) : undefined
    const variables = { params: params[name] ?? none, state: state[name] ?? none }
    if (scope.watch === undefined) return layer.apply(variables, x, { train, key, scope })
    return scope.watch(part, variables, x, (watch) =>
      layer.apply(variables, x, { train, key, scope: { ...scope, watch } }),
    )
  })
}

/** Whether any part draws random numbers. */
export const anyRandom = (parts: readonly Part[]): boolean =>
  parts.some(([, layer]) => layer.isRandom)
