/** From a cluster to the statements of its kernel. */
import {
  type Atom,
  type Buffer,
  type Equation,
  type Index,
  type Lowering,
  type Reduction,
  type Scalar,
  type Shape,
  type Stmt,
  type Var,
  type Write,
  dtypeInfo,
  isVar,
  scalars,
  sizeOf,
} from '@cotangent/core'
import type { Kernel, KernelBuffer, KernelScratch } from '../kernel.ts'
import type { ReductionSpec } from '../loops/reduction.ts'
import { substitution } from '../loops/rewrite.ts'
import { effectsOf } from '../loops/visit.ts'
import { emitRowSums } from '../loops/vector/reduction.ts'
import { brokenLowering, lowerEquation } from '../passes/lowering.ts'
import type { Target, TargetReduction } from '../target.ts'
import { type Analysis, Reader, memoryOf } from './analysis.ts'
import { type Largest, withFallingExponentials } from './belowLargest.ts'
import { rootsOf } from './rowSums.ts'
import { type Stage, innerOf, placed, sameIndices, stagesOf } from './stages.ts'
import type { Cluster, Root } from './cluster.ts'
import { kernelName } from './name.ts'
import { partMomentsIn } from './partMoments.ts'
import { type SlabBuffers, slabMoments } from './slabMoments.ts'
import { mostRowsOf } from './slabs.ts'
import { type FinishAt, tilesInSlabs } from './tileSlabs.ts'

type Tiles = Extract<Lowering, { readonly tag: 'tiles' }>

/** A kernel with the atoms behind its buffers. */
export interface EmittedKernel {
  readonly kernel: Kernel
  readonly arguments: readonly Atom[]
  readonly equations: readonly Equation[]
  /** Memory that it reads through buffers. */
  readonly loads: ReadonlySet<Atom>
  /** Every element is made once, so that it may take the memory of one that is read for it. */
  readonly writesOnce: boolean
}

class Emitter {
  readonly #analysis: Analysis
  readonly #cluster: Cluster
  readonly #target: Target
  readonly #produced = new Map<Var, Root>()
  readonly #buffers = new Map<Atom, string>()
  /** Values of this row that live in locals. */
  readonly #locals = new Map<Var, Scalar>()
  readonly #done = new Set<Root>()
  /** The counters of the loops around what is being computed. */
  #outerIndex: readonly Index[]
  readonly loads = new Set<Atom>()
  /** Where tiled reductions pack operands that they read often. */
  readonly scratch: KernelScratch[] = []
  readonly stored = new Set<Var>()
  /** Locals that are the largest element of a row. */
  readonly #largest = new Map<string, Largest>()
  /** Loops that run before everything else. */
  readonly #before: Stmt[] = []

  constructor(cluster: Cluster, analysis: Analysis, target: Target) {
    this.#target = target
    this.#cluster = cluster
    this.#analysis = analysis
    this.#outerIndex = countersAlong(cluster.outer, 'i')
    for (const root of rootsOf(cluster)) for (const v of root.outputs) this.#produced.set(v, root)
  }

  get arguments(): readonly Atom[] {
    return [...this.#buffers.keys()]
  }

  buffer(atom: Atom): string {
    const known = this.#buffers.get(atom)
    if (known !== undefined) return known
    const name = `${isVar(atom) && this.#produced.has(atom) ? 'out' : 'in'}${this.#buffers.size}`
    this.#buffers.set(atom, name)
    return name
  }

  buffers(): readonly KernelBuffer[] {
    return [...this.#buffers].map(([atom, name]) => {
      const written = isVar(atom) && this.stored.has(atom)
      const access = written ? (this.loads.has(atom) ? 'readwrite' : 'write') : 'read'
      return { name, dtype: atom.aval.dtype, size: sizeOf(atom.aval.shape), access }
    })
  }

  /** Reads elements while the roots of `stage` are computed at `index`. */
  #reader(current: readonly Root[], position: readonly Index[]): Reader {
    const reader: Reader = new Reader(this.#analysis, (atom, index) => {
      const memory = memoryOf(atom, this.#analysis.aliases)
      const root = isVar(memory) ? this.#produced.get(memory) : undefined
      if (root !== undefined && isVar(memory) && memory === atom) {
        const known = this.#locals.get(memory)
        if (known !== undefined && this.#isOfThisRow(root, memory, index)) return known
        if (current.includes(root) && root.extents === null && sameIndices(index, position)) {
          return reader.inline(memory, index)
        }
      }
      this.loads.add(memory)
      return scalars.load(
        this.buffer(memory),
        atom.aval.dtype,
        scalars.flatten(atom.aval.shape, index),
      )
    })
    return reader
  }

  // The one element that a row has of this variable, at the row that is being computed.
  #isOfThisRow({ axes }: Root, v: Var, index: readonly Index[]): boolean {
    const row = axes.map((axis) => index[axis]!)
    return sameIndices(row, this.#outerIndex) && sizeOf(innerOf(v.aval.shape, axes)) === 1
  }

  #store(v: Var, index: readonly Index[], value: Scalar): Stmt {
    this.stored.add(v)
    return { tag: 'store', buffer: this.buffer(v), at: scalars.flatten(v.aval.shape, index), value }
  }

  /** Tiles that come as statements, and point-wise work where they write an element. */
  written(tiles: Tiles): readonly Stmt[] {
    const { roots } = this.#cluster
    const [made, ...epilogue] = roots
    const { equation } = made!
    const [output] = equation.outputs
    const index = this.#outerIndex
    const element = scalars.local(output!.aval.dtype, 'element')
    const reader = this.#reader(epilogue, index)
    const pattern = [
      ...this.#result(output!, index, element),
      ...epilogue.flatMap((root) =>
        root.outputs.map((v) => this.#store(v, index, reader.inline(v, index))),
      ),
    ]
    const { declared } = effectsOf(pattern)
    let writes = 0
    const inputs = equation.inputs.map((atom): Buffer => {
      const memory = memoryOf(atom, this.#analysis.aliases)
      this.loads.add(memory)
      return { name: this.buffer(memory), ...atom.aval }
    })
    const memory = (types: Tiles['scratch']): readonly Buffer[] =>
      types.map(({ shape, dtype }, n): Buffer => {
        const name = `s${n}`
        this.scratch.push({ name, dtype, size: sizeOf(shape) })
        return { name, shape, dtype }
      })
    const write: Write = (at, value) => {
      const suffix = `_${writes++}`
      return substitution({
        counters: new Map(at.map((position, d) => [`i${d}`, position])),
        locals: new Map([['element', value]]),
        declared: new Map([...declared].map((name) => [name, `${name}${suffix}`])),
      }).body(pattern)
    }
    const { moments, outer } = this.#cluster
    const slabs = moments === null ? null : (tiles.slabs?.(mostRowsOf(outer)) ?? null)
    if (moments === null || slabs === null) return tiles.emit(inputs, memory(tiles.scratch), write)
    const buffers = this.#slabBuffers(moments)
    return slabs.emit(inputs, memory(slabs.scratch), write, (slab) => slabMoments(buffers, slab))
  }

  // Where the moments of slabs of what the cluster makes go.
  #slabBuffers(equation: Equation): SlabBuffers {
    const [x] = equation.inputs
    const { rows } = partMomentsIn(equation)!
    const [means, deviations, squares] = equation.outputs.map((v) => {
      this.stored.add(v)
      return this.buffer(v)
    })
    this.loads.add(x!)
    const to = { means: means!, deviations: deviations!, squares: squares! }
    return { x: this.buffer(x!), shape: x!.aval.shape, rows, ...to }
  }

  tiled(): readonly Stmt[] {
    const { moments, outer } = this.#cluster
    const whole = this.#tiledSpec(this.#cluster, 'i', 'a')
    if (moments === null) return this.#target.reduce(whole)
    return tilesInSlabs({
      whole,
      outer,
      reduce: this.#target.reduce,
      finishAt: this.#finishedAt(whole),
      buffers: this.#slabBuffers(moments),
    })
  }

  // An element at an index that is not what the outer counters say.
  #finishedAt(whole: TargetReduction): FinishAt {
    return (accumulators, index) => {
      const outer = this.#outerIndex
      this.#outerIndex = index
      const made = whole.finish(accumulators, index)
      this.#outerIndex = outer
      return made
    }
  }

  #tiledSpec({ outer, roots }: Cluster, counter: string, name: string): TargetReduction {
    const reductions = roots.filter((r) => r.extents !== null)
    const epilogue = roots.filter((r) => r.extents === null)
    return this.#specOf(
      reductions,
      outer.map((extent, d) => ({ name: `${counter}${d}`, extent })),
      name,
      (out) => out,
      (index) => {
        const reader = this.#reader(epilogue, index)
        return epilogue.flatMap((root) =>
          root.outputs.map((v) => this.#store(v, index, reader.inline(v, index))),
        )
      },
    )
  }

  /** One nest for reductions that share their loops; `place` adds the counters around it. */
  #specOf(
    roots: readonly Root[],
    outputs: ReductionSpec['outputs'],
    name: string,
    place: (inner: readonly Index[]) => readonly Index[],
    epilogue: ((index: readonly Index[]) => readonly Stmt[]) | null,
  ): TargetReduction {
    const parts = this.#reductionsOf(roots, this.#reader([], []))
    return {
      name,
      ...(place([]).length === 0 && this.#done.size === 0
        ? { before: (phase) => this.#before.push(...phase) }
        : {}),
      scratch: (size, dtype) => {
        const scratchName = `s${this.scratch.length}`
        this.scratch.push({ name: scratchName, dtype, size })
        return scratchName
      },
      outputs,
      extents: parts[0]!.reduction.extents,
      accumulators: parts.flatMap(({ reduction }) => reduction.accumulators),
      step: (accumulators, out, reduced) => stepOf(parts, accumulators, place(out), reduced),
      finish: (accumulators, out) => {
        const index = place(out)
        const statements = parts.flatMap(({ root, reduction, start, end }) => {
          const values = reduction.finish(accumulators.slice(start, end))
          return root.outputs.flatMap((v) =>
            this.#result(v, index, values[root.equation.outputs.indexOf(v)]!),
          )
        })
        return epilogue === null ? statements : [...statements, ...epilogue(index)]
      },
    }
  }

  // Reductions that share a nest, and which of all accumulators are whose.
  #reductionsOf(roots: readonly Root[], reader: Reader): readonly PartOfNest[] {
    let end = 0
    return roots.map((root) => {
      const lowering = lowerEquation(root.equation, reader.pullsOf(root.equation))
      if (lowering.tag !== 'reduce')
        throw brokenLowering(root.equation, 'it was a reduction and no longer is')
      const start = end
      end += lowering.reduction.accumulators.length
      return { root, reduction: lowering.reduction, start, end }
    })
  }

  // A finished value: a local for the rest of the row, and a store that may turn out unread.
  #result(v: Var, index: readonly Index[], value: Scalar): readonly Stmt[] {
    // An emitter may ask for the statements again: the value keeps its name.
    const known = this.#locals.get(v)
    const name = known?.tag === 'local' ? known.name : `r${this.#locals.size}`
    const reference = scalars.local(value.dtype, name)
    this.#locals.set(v, reference)
    return [{ tag: 'let', name, value }, this.#store(v, index, reference)]
  }

  rows(): readonly Stmt[] {
    const { outer } = this.#cluster
    const prefix = this.#outerIndex
    const stages = stagesOf(this.#cluster.roots, this.#analysis, this.#target.machine)
    let body: readonly Stmt[] = stages.flatMap((stage, s) => {
      const statements =
        stage.extents === null ? this.#map(stage, s, prefix) : this.#reduceStage(stage, s, prefix)
      for (const root of [...stage.roots, ...stage.maps]) this.#done.add(root)
      if (this.#target.machine.vectors) this.#noteLargest(stage, prefix)
      return statements
    })
    body = withFallingExponentials(body, this.#largest, new Set(outer.map((_, d) => `i${d}`)))
    if (this.#cluster.sums !== null) return this.#withSums(body, this.#cluster.sums)
    for (let d = outer.length - 1; d >= 0; d--) body = loop(`i${d}`, outer[d]!, body)
    if (this.#before.length === 0) return body
    // A round of its own, so that what comes before is shared out.
    return [...this.#before, { tag: 'for', counter: 'once', extent: 1, parallel: true, body }]
  }

  // Which of the values that a stage has left are maxima of elements in memory.
  #noteLargest({ inner, axes, extents, roots }: Stage, prefix: readonly Index[]): void {
    if (extents === null || sizeOf(inner) !== 1) return
    const row = placed(
      axes,
      prefix,
      inner.map(() => scalars.constant(0)),
    )
    for (const { root, reduction } of this.#reductionsOf(roots, this.#reader([], []))) {
      const [v, ...others] = root.outputs
      const known = v === undefined ? undefined : this.#locals.get(v)
      if (known?.tag !== 'local' || others.length > 0) continue
      const terms = reduction.extents.map((extent, d) => scalars.counter(`k${d}`, extent))
      const accs = reduction.accumulators.map((a, n) => scalars.local(a.dtype, `acc${n}`))
      const [step] = reduction.step(accs, row, terms)
      if (step?.tag !== 'binary' || step.op !== 'maximum' || step.y.tag !== 'load') continue
      this.#largest.set(known.name, step.y)
    }
  }

  // A few rows at a time, and what the sums take of them while they are in a cache.
  #withSums(body: readonly Stmt[], sums: Cluster): readonly Stmt[] {
    const { outer, reads, roots } = this.#cluster
    const touched = new Set<Atom>([...reads, ...sums.reads, ...roots.flatMap((r) => r.outputs)])
    let bytes = 0
    for (const { aval } of touched) bytes += dtypeInfo[aval.dtype].bytes * sizeOf(aval.shape)
    this.#outerIndex = countersAlong(sums.outer, 'c')
    const { before: _, scratch, ...spec } = this.#tiledSpec(sums, 'c', 'b')
    return emitRowSums({
      spec,
      scratch,
      rows: { dims: outer.map((extent, d) => ({ name: `i${d}`, extent })), body },
      rowBytes: bytes / sizeOf(outer),
    })
  }

  #map({ inner, axes, roots }: Stage, s: number, prefix: readonly Index[]): readonly Stmt[] {
    const own = inner.map((extent, d) => scalars.counter(`j${s}_${d}`, extent))
    const index = placed(axes, prefix, own)
    const reader = this.#reader(roots, index)
    let body = roots.flatMap((root) =>
      root.outputs.flatMap((v): readonly Stmt[] => {
        const value = reader.inline(v, index)
        return sizeOf(inner) === 1 ? this.#result(v, index, value) : [this.#store(v, index, value)]
      }),
    )
    for (let d = inner.length - 1; d >= 0; d--) body = [...loop(`j${s}_${d}`, inner[d]!, body)]
    return body
  }

  #reduceStage(stage: Stage, s: number, prefix: readonly Index[]): readonly Stmt[] {
    const { inner, axes, roots, maps } = stage
    const outputs = inner.map((extent, d) => ({ name: `j${s}_${d}`, extent }))
    const place = (own: readonly Index[]): readonly Index[] => placed(axes, prefix, own)
    const spec = this.#specOf(roots, outputs, `a${s}`, place, null)
    if (maps.length === 0) return this.#target.reduce(spec)
    // Each term is an element of the maps, too.
    const readerAt = (reduced: readonly Index[]): Reader =>
      this.#reader(maps, placed(axes, prefix, reduced))
    return this.#target.reduce({
      ...spec,
      visits: (reduced) => {
        const reader = readerAt(reduced)
        const index = placed(axes, prefix, reduced)
        return maps.flatMap((root) =>
          root.outputs.map((v) => this.#store(v, index, reader.inline(v, index))),
        )
      },
      step: (accumulators, out, reduced) => {
        const made = this.#reductionsOf(roots, readerAt(reduced))
        return stepOf(made, accumulators, place(out), reduced)
      },
    })
  }
}

/** A reduction among those that share a nest, and its accumulators among theirs. */
interface PartOfNest {
  readonly root: Root
  readonly reduction: Reduction
  readonly start: number
  readonly end: number
}

const stepOf = (
  parts: readonly PartOfNest[],
  accumulators: readonly Scalar[],
  output: readonly Index[],
  reduced: readonly Index[],
): readonly Scalar[] =>
  parts.flatMap(({ reduction, start, end }) =>
    reduction.step(accumulators.slice(start, end), output, reduced),
  )

const countersAlong = (shape: Shape, name: string): readonly Index[] =>
  shape.map((extent, d) => scalars.counter(`${name}${d}`, extent))

const loop = (counter: string, extent: number, body: readonly Stmt[]): readonly Stmt[] =>
  extent === 1
    ? [{ tag: 'comment', text: `${counter} = 0` }, ...body]
    : [{ tag: 'for', counter, extent, parallel: true, body }]

export const emitCluster = (
  cluster: Cluster,
  analysis: Analysis,
  target: Target,
): EmittedKernel => {
  const emitter = new Emitter(cluster, analysis, target)
  const first = analysis.probes.get(cluster.roots[0]!.equation)!.lowering
  const body =
    first.tag === 'tiles'
      ? emitter.written(first)
      : cluster.tiled
        ? emitter.tiled()
        : emitter.rows()
  const { moments } = cluster
  const made = rootsOf(cluster).map((r) => r.equation)
  const equations = moments === null ? made : [...made, moments]
  return {
    kernel: {
      name: kernelName(equations, cluster.roots),
      buffers: emitter.buffers(),
      scratch: emitter.scratch,
      body,
    },
    arguments: emitter.arguments,
    equations,
    loads: emitter.loads,
    writesOnce: first.tag !== 'tiles' && moments === null,
  }
}
