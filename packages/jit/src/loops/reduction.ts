/**
 * Reductions as loop nests: register tiles of outputs, partial results along the reduction, or
 * plain loops, whichever the loads suggest. Every output's terms are combined in one order wherever
 * it lies in a tile, so results do not depend on position.
 */
import {
  type DType,
  type Index,
  type Scalar,
  type Shape,
  type Stmt,
  scalars,
} from '@cotangent/core'
import { accessesOf } from './access.ts'
import { type Associative, associativeStep, commonChoice } from './associative.ts'
import {
  type Operand,
  type PackedOperand,
  type Spot,
  packStatements,
  packableOperands,
  packedLoad,
  packedSize,
  tiledDim,
} from './packing.ts'
import { substitution } from './rewrite.ts'
import { type Dim, type Tile, chooseTile } from './tiling.ts'
import { branching, effectsOf, sizeOfBody } from './visit.ts'

const { binaryOp, constant, counter, literal, local, plus } = scalars

export interface Accumulator {
  readonly dtype: DType
  readonly initial: number
}

export interface ReductionSpec {
  /** Prefix of the names it declares; unique among the reductions of one block. */
  readonly name?: string
  /** Parallel loops, outermost first. Empty: the statements land in the caller's own block. */
  readonly outputs: readonly Dim[]
  /** The reduction, outermost first. */
  readonly extents: Shape
  readonly accumulators: readonly Accumulator[]
  /** Next values of the accumulators. Called once, with symbols. */
  readonly step: (
    accumulators: readonly Scalar[],
    output: readonly Index[],
    reduced: readonly Index[],
  ) => readonly Scalar[]
  /** Stores and epilogue of one output. Called once, with symbols. */
  readonly finish: (accumulators: readonly Scalar[], output: readonly Index[]) => readonly Stmt[]
  /**
   * Makes float64 scratch of so many elements and gives its name; operands used often are then
   * copied there. Absent: nothing is copied.
   */
  readonly scratch?: (size: number) => string
}

/** The loops, with the step and the finish as patterns to be copied. */
interface Nest {
  readonly prefix: string
  readonly outputs: readonly Dim[]
  readonly reduced: readonly Dim[]
  readonly accumulators: readonly Accumulator[]
  /** What the accumulators are called in the patterns. */
  readonly names: readonly string[]
  readonly steps: readonly Scalar[]
  readonly finish: readonly Stmt[]
  /** For each accumulator, where the reduction may be split. */
  readonly associative: readonly Associative[] | null
  readonly tile: Tile
  readonly packed: readonly PackedOperand[]
}

/**
 * Statements that compute a reduction for every output.
 * @example
 * emitReduction({
 *   outputs: [{ name: 'i0', extent: 4 }],
 *   extents: [8],
 *   accumulators: [{ dtype: 'float64', initial: 0 }],
 *   step: ([sum], [i], [k]) => [binaryOp('add', sum!, convertTo('float64', x([i!, k!])))],
 *   finish: ([sum], [i]) => [{ tag: 'store', buffer: 'out', at: i!, value: convertTo('float32', sum!) }],
 * })
 */
export const emitReduction = (spec: ReductionSpec): readonly Stmt[] => {
  const nest = nestOf(spec)
  const sizeAlong = (d: Dim): number => nest.tile.sizes[nest.outputs.indexOf(d)]!
  const copies = nest.packed.flatMap((operand) => packStatements(operand, sizeAlong))
  return [...copies, ...emitOutputs(nest)]
}

const nestOf = (spec: ReductionSpec): Nest => {
  const prefix = spec.name ?? ''
  const given = spec.extents.map((extent, d) => ({ name: `${prefix}k${d}`, extent }))
  const names = spec.accumulators.map((_, a) =>
    spec.accumulators.length === 1 ? `${prefix}acc` : `${prefix}acc${a}_`,
  )
  const accs = spec.accumulators.map((a, n) => local(a.dtype, names[n]!))
  const output = spec.outputs.map((o) => counter(o.name, o.extent))
  const steps = spec.step(
    accs,
    output,
    given.map((k) => counter(k.name, k.extent)),
  )
  const finish = spec.finish(accs, output)
  const all = new Set(names)
  const found = steps.map((s, n) => associativeStep(s, names[n]!, all))
  const associative = found.every((a) => a !== null) ? found : null
  const accesses = accessesOf(steps)
  const moving = given.filter((k) => k.extent !== 1)
  const strideOf = (k: Dim): number =>
    accesses.reduce((sum, a) => sum + Math.min(16, Math.abs(a.strides.get(k.name) ?? 0)), 0)
  const reduced = associative === null ? moving : contiguousInside(moving, strideOf)
  const { outputs, accumulators, scratch } = spec
  const operands =
    scratch === undefined || steps.length !== 1
      ? []
      : packableOperands(steps[0], outputs, reduced, prefix)
  const copied = operands.filter((o) => o.span === null).map((o) => o.value)
  const fromCopies = new Set(accessesOf(copied).map((a) => a.buffer))
  const tile = chooseTile({
    outputs,
    reduced,
    accesses: accesses.map((a) => ({ ...a, packed: fromCopies.has(a.buffer) })),
    accumulators: names.length,
    stepSize: sizeOfBody(
      steps.map((s) => ({ tag: 'let', name: '', value: withPacked(s, operands) })),
    ),
    finishSize: sizeOfBody(finish),
    splittable: associative !== null,
    packed: operands.length > 0,
  })
  const packed = operands.flatMap((operand): readonly PackedOperand[] => {
    const tiled = tiledDim(operand, (d) => tile.sizes[outputs.indexOf(d)]! > 1)
    if (tiled === undefined || scratch === undefined) return []
    return [{ ...operand, tiled, buffer: scratch(packedSize(operand)) }]
  })
  const used = steps.map((s) => withPacked(s, packed))
  const shared = { prefix, outputs, reduced, accumulators, names, finish, associative, tile }
  return { ...shared, steps: used, packed }
}

// The same step with locals in place of the operands that have copies.
const withPacked = (step: Scalar, packed: readonly Operand[]): Scalar => {
  if (packed.length === 0) return step
  if (step.tag !== 'binary' || step.y.tag !== 'binary') return step
  const replaced = (s: Scalar): Scalar => {
    const operand = packed.find((p) => p.value === s)
    return operand === undefined ? s : local('float64', operand.name)
  }
  return { ...step, y: { ...step.y, x: replaced(step.y.x), y: replaced(step.y.y) } }
}

// Moves the loop that steps through memory most closely to the inside.
const contiguousInside = (dims: readonly Dim[], strideOf: (k: Dim) => number): readonly Dim[] => {
  const last = dims.at(-1)
  if (last === undefined) return dims
  const closest = dims.reduce((best, k) => (strideOf(k) < strideOf(best) ? k : best), last)
  return closest === last ? dims : [...dims.filter((k) => k !== closest), closest]
}

/** Where along one output dim a body works: `count` outputs from `base` on. */
interface Place {
  readonly name: string
  readonly base: Index
  readonly count: number
}

const emitOutputs = (nest: Nest, places: readonly Place[] = []): readonly Stmt[] => {
  const depth = places.length
  const dim = nest.outputs[depth]
  if (dim === undefined) return emitTile(nest, places)
  const size = nest.tile.sizes[depth]!
  const { name, extent } = dim
  const rest = extent % size
  const full = extent - rest
  const at = (base: Index, count: number): readonly Stmt[] =>
    emitOutputs(nest, [...places, { name, base, count }])
  if (extent === 1) return at(constant(0), 1)
  const loop: Stmt = {
    tag: 'for',
    counter: name,
    extent: full,
    step: size,
    body: at(counter(name, full - size + 1), size),
  }
  const head = full === size ? at(constant(0), size) : full === 0 ? [] : [loop]
  if (rest === 0) return head
  // The head of a single full tile is no block of its own: names must not meet those of the rest.
  const tail: Stmt = { tag: 'for', counter: name, extent: 1, body: at(constant(full), rest) }
  return full === size
    ? [{ tag: 'for', counter: name, extent: 1, body: head }, tail]
    : [...head, tail]
}

/** One output of a tile: how its counters and accumulators are called. */
interface Point {
  readonly suffix: string
  readonly counters: ReadonlyMap<string, Index>
  readonly spots: ReadonlyMap<string, Spot>
}

const pointsOf = (places: readonly Place[]): readonly Point[] => {
  let points: readonly Point[] = [{ suffix: '', counters: new Map(), spots: new Map() }]
  for (const { name, base, count } of places) {
    points = points.flatMap((p) =>
      Array.from({ length: count }, (_, n) => ({
        suffix: count === 1 ? p.suffix : `${p.suffix}${n}`,
        counters: new Map([...p.counters, [name, plus(base, n)]]),
        spots: new Map([...p.spots, [name, { base, count, point: n }]]),
      })),
    )
  }
  return points
}

const emitTile = (nest: Nest, places: readonly Place[]): readonly Stmt[] => {
  const points = pointsOf(places)
  const splits = nest.tile.splits
  const partials = Array.from({ length: splits }, (_, s) => (splits === 1 ? '' : `_${s}`))
  const nameOf = (a: number, point: Point, partial: string): string =>
    `${nest.names[a]!}${point.suffix}${partial}`
  const declare = (point: Point, partial: string, s: number): readonly Stmt[] =>
    nest.accumulators.map(({ dtype, initial }, a) => {
      const value = literal(dtype, s === 0 ? initial : nest.associative![a]!.neutral)
      return { tag: 'variable', name: nameOf(a, point, partial), value }
    })
  const body = (k: Index | null, partial: string): readonly Stmt[] =>
    points.flatMap((point) => emitStep(nest, point, (a) => nameOf(a, point, partial), k))
  return [
    ...points.flatMap((point) => partials.flatMap((partial, s) => declare(point, partial, s))),
    ...emitReduced(nest, partials, body),
    ...points.flatMap((point) => combine(nest, partials, (a, p) => nameOf(a, point, p))),
    ...points.flatMap((point) => emitFinish(nest, point, (a) => nameOf(a, point, partials[0]!))),
  ]
}

const loopOver = (name: string, extent: number, body: readonly Stmt[]): Stmt => ({
  tag: 'for',
  counter: name,
  extent,
  body,
})

type Body = (innermost: Index | null, partial: string) => readonly Stmt[]

const emitReduced = (nest: Nest, partials: readonly string[], body: Body): readonly Stmt[] => {
  const inner = nest.reduced.at(-1)
  if (inner === undefined) return body(null, partials[0]!)
  const step = partials.length * nest.tile.unroll
  const rest = inner.extent % step
  const full = inner.extent - rest
  const k = counter(inner.name, full - step + 1)
  const rounds = Array.from({ length: nest.tile.unroll }, (_, u) =>
    partials.flatMap((partial, s) => body(plus(k, u * partials.length + s), partial)),
  )
  const remaining = body(plus(counter(inner.name, rest), full), partials[0]!)
  let statements: readonly Stmt[] = [
    { tag: 'for', counter: inner.name, extent: full, step, body: rounds.flat() },
    ...(rest === 0 ? [] : [loopOver(inner.name, rest, remaining)]),
  ]
  for (const dim of nest.reduced.slice(0, -1).toReversed()) {
    statements = [loopOver(dim.name, dim.extent, statements)]
  }
  return statements
}

const emitStep = (
  nest: Nest,
  point: Point,
  nameOf: (a: number) => string,
  innermost: Index | null,
): readonly Stmt[] => {
  const counters = new Map(point.counters)
  if (innermost !== null) counters.set(nest.reduced.at(-1)!.name, innermost)
  const accs = nest.accumulators.map((acc, a) => local(acc.dtype, nameOf(a)))
  const locals = new Map(nest.names.map((name, a) => [name, accs[a]!]))
  const inner = nest.reduced.at(-1)
  const reducedAt = (d: Dim): Index =>
    d === inner && innermost !== null ? innermost : counter(d.name, d.extent)
  for (const operand of nest.packed) {
    locals.set(
      operand.name,
      packedLoad(operand, (d) => point.spots.get(d.name)!, reducedAt),
    )
  }
  const rewriter = substitution({ counters, locals })
  const values = nest.steps.map(rewriter.scalar)
  const assign = (value: Scalar, a: number): Stmt => ({ tag: 'assign', name: nameOf(a), value })
  const choice = commonChoice(nest.steps, nest.names)
  if (choice !== null) {
    const chosen = choice.values.map((v, a) => assign(rewriter.scalar(v), a))
    return [branching(rewriter.scalar(choice.condition), inOrder(chosen, accs), [])]
  }
  if (values.length === 1 || nest.associative !== null) return values.map(assign)
  return inOrder(values.map(assign), accs)
}

// All next values are computed from the current ones before any changes.
const inOrder = (assigns: readonly Stmt[], accs: readonly Scalar[]): readonly Stmt[] => {
  if (assigns.length === 1) return assigns
  const next = (name: string): string => `${name}_next`
  return [
    ...assigns.flatMap((s): readonly Stmt[] =>
      s.tag === 'assign' ? [{ tag: 'let', name: next(s.name), value: s.value }] : [],
    ),
    ...assigns.flatMap((s, a): readonly Stmt[] =>
      s.tag === 'assign' ? [{ ...s, value: local(accs[a]!.dtype, next(s.name)) }] : [],
    ),
  ]
}

// Partial results in pairs: (p0 ∘ p1) ∘ (p2 ∘ p3), into the first.
const combine = (
  nest: Nest,
  partials: readonly string[],
  nameOf: (a: number, partial: string) => string,
): readonly Stmt[] => {
  if (partials.length === 1) return []
  return nest.accumulators.map(({ dtype }, a) => {
    let parts: readonly Scalar[] = partials.map((p) => local(dtype, nameOf(a, p)))
    const { op } = nest.associative![a]!
    while (parts.length > 1) {
      parts = parts.flatMap((x, n) => (n % 2 === 0 ? [joined(op, x, parts[n + 1])] : []))
    }
    return { tag: 'assign', name: nameOf(a, partials[0]!), value: parts[0]! }
  })
}

const joined = (op: Associative['op'], x: Scalar, y: Scalar | undefined): Scalar =>
  y === undefined ? x : binaryOp(op, x, y)

const emitFinish = (nest: Nest, point: Point, nameOf: (a: number) => string): readonly Stmt[] => {
  const { declared } = effectsOf(nest.finish)
  const renamed = point.suffix === '' ? [] : [...declared]
  return substitution({
    counters: point.counters,
    locals: new Map(
      nest.accumulators.map((acc, a) => [nest.names[a]!, local(acc.dtype, nameOf(a))]),
    ),
    declared: new Map(renamed.map((name) => [name, `${name}_${point.suffix}`])),
  }).body(nest.finish)
}
