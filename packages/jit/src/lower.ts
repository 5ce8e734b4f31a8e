/** From an optimised graph to a program: kernels and control flow in order. */
import {
  type Atom,
  type Equation,
  type Graph,
  Origin,
  type Region,
  Var,
  isVar,
} from '@cotangent/core'
import { type Analysis, analyze, memoryOf } from './cluster/analysis.ts'
import { type Unit, cluster } from './cluster/cluster.ts'
import { dropStores } from './cluster/dropStores.ts'
import { type EmittedKernel, emitCluster } from './cluster/emit.ts'
import { withMoments } from './cluster/findMoments.ts'
import { shareRows } from './cluster/rowSums.ts'
import { reuseMemory } from './cluster/reuse.ts'
import { copyP } from './copy.ts'
import { brokenLowering, loweringKind } from './passes/lowering.ts'
import { type KernelStep, type Program, Scratch, type Slot, type Step } from './program.ts'
import { type Hoisted, hoistPrologues, splitPrologue } from './prologue.ts'
import { Repeats } from './repeats.ts'
import { routineStep } from './routine.ts'
import type { Target } from './target.ts'
import { joinMaps } from './together.ts'

type Emitted =
  | { readonly tag: 'kernel'; readonly kernel: EmittedKernel }
  | { readonly tag: 'single'; readonly equation: Equation }

/** Lowers a graph whose outputs may be its inputs or constants. */
export const lowerGraph = (given: Graph, target: Target): Program => {
  const first = analyze(given)
  const graph = withMoments(given, first)
  const analysis = graph === given ? first : analyze(graph)
  const units = shareRows(cluster(graph, analysis), analysis)
  const emitted = units.flatMap((unit) => (unit === null ? [] : [emitUnit(unit, analysis, target)]))
  const readersOf = readers(graph, emitted, analysis)
  const isRead = (atom: Atom): boolean => !isVar(atom) || readersOf.has(atom)
  const repeats = new Repeats()
  const once = (step: Step): Step =>
    step.tag === 'kernel' ? { ...step, kernel: repeats.of(step.kernel) } : step
  const steps = emitted.flatMap((e): readonly Step[] => {
    if (e.tag === 'single') return singleSteps(e.equation, analysis, target)
    const isReadBeside = (atom: Atom): boolean =>
      [...(readersOf.get(atom) ?? [])].some((reader) => reader !== e)
    const own = dropStores(e.kernel, isRead)
    const shared = target.machine.vectors ? reuseMemory(own, isReadBeside) : own
    const { kernel, arguments: atoms, equations, writesOnce } = shared
    if (kernel.buffers.every((b) => b.access === 'read')) return []
    const step = {
      tag: 'kernel',
      kernel,
      arguments: atoms,
      copies: [],
      equations,
      writesOnce,
    } as const
    return target.name === 'js' ? [step] : splitPrologue(plannedScratch(step))
  })
  const own = steps.map(once)
  const joined = target.name === 'js' ? own : joinMaps(own, graph.outputs)
  return { graph, inputs: graph.inputs, steps: joined, outputs: graph.outputs }
}

// In WebAssembly scratch is memory like any other, with a place in the plan.
const plannedScratch = (step: KernelStep): KernelStep => {
  const { scratch = [], ...kernel } = step.kernel
  if (scratch.length === 0) return step
  const slots = scratch.map(({ dtype, size }) => new Scratch({ shape: [size], dtype, weak: false }))
  const buffers = scratch.map((s) => ({ ...s, access: 'readwrite' }) as const)
  return {
    ...step,
    kernel: { ...kernel, buffers: [...kernel.buffers, ...buffers] },
    arguments: [...step.arguments, ...slots],
  }
}

/** Lowers a loop body or branch, whose outputs must each have memory of their own. */
export const lowerBody = (graph: Graph, target: Target): Program =>
  lowerGraph(ownOutputs(graph), target)

const ownOutputs = (graph: Graph): Graph => {
  const inputs = new Set<Atom>(graph.inputs)
  const taken = new Set<Atom>()
  const copies: Equation[] = []
  const outputs = graph.outputs.map((atom) => {
    if (isVar(atom) && !inputs.has(atom) && !taken.has(atom)) {
      taken.add(atom)
      return atom
    }
    const copy = new Var({ ...atom.aval, weak: false })
    copies.push({
      primitive: copyP,
      inputs: [atom],
      params: null,
      outputs: [copy],
      origin: new Origin(),
    })
    return copy
  })
  return copies.length === 0
    ? graph
    : { inputs: graph.inputs, equations: [...graph.equations, ...copies], outputs }
}

const emitUnit = (unit: Unit, analysis: Analysis, target: Target): Emitted =>
  unit.tag === 'single' ? unit : { tag: 'kernel', kernel: emitCluster(unit, analysis, target) }

// Who reads memory: kernels, routines and control flow, the caller.
const readers = (
  graph: Graph,
  emitted: readonly Emitted[],
  analysis: Analysis,
): ReadonlyMap<Atom, ReadonlySet<Emitted | Graph>> => {
  const read = new Map<Atom, Set<Emitted | Graph>>()
  const note = (atom: Atom, reader: Emitted | Graph): void => {
    read.set(atom, (read.get(atom) ?? new Set()).add(reader))
  }
  for (const atom of graph.outputs) note(memoryOf(atom, analysis.aliases), graph)
  for (const e of emitted) {
    if (e.tag === 'kernel') for (const atom of e.kernel.loads) note(atom, e)
    else for (const atom of e.equation.inputs) note(memoryOf(atom, analysis.aliases), e)
  }
  return read
}

const singleSteps = (equation: Equation, analysis: Analysis, target: Target): readonly Step[] => {
  const inputs: readonly Slot[] = equation.inputs.map((a) => memoryOf(a, analysis.aliases))
  const lowering = loweringKind(equation)
  if (lowering.tag === 'routine') return [routineStep(equation, lowering, inputs)]
  if (lowering.tag === 'region') return regionSteps(equation, lowering.region, inputs, target)
  throw brokenLowering(equation, `a lowering of the kind ${lowering.tag} is no step of its own`)
}

// A loop's body, and the part of it that runs once.
const hoisted = (graph: Graph, constants: readonly Slot[], target: Target): Hoisted => {
  const body = lowerBody(graph, target)
  const outer = new Map<Slot, Slot>(constants.map((slot, i) => [body.inputs[i]!, slot]))
  return hoistPrologues(body, outer)
}

const regionSteps = (
  equation: Equation,
  region: Region,
  inputs: readonly Slot[],
  target: Target,
): readonly Step[] => {
  const { outputs } = equation
  switch (region.kind) {
    case 'scan': {
      const { constants, carries } = region
      const given = inputs.slice(0, constants)
      const { body, before, scratch } = hoisted(region.body, given, target)
      return [
        ...before,
        {
          tag: 'scan',
          body,
          length: region.length,
          reverse: region.reverse,
          constants: given,
          scratch,
          initial: inputs.slice(constants, constants + carries),
          xs: inputs.slice(constants + carries),
          finals: outputs.slice(0, carries),
          ys: outputs.slice(carries),
        },
      ]
    }
    case 'while': {
      const split = region.conditionConstants + region.bodyConstants
      const given = inputs.slice(region.conditionConstants, split)
      const { body, before, scratch } = hoisted(region.body, given, target)
      return [
        ...before,
        {
          tag: 'while',
          condition: lowerBody(region.condition, target),
          body,
          conditionConstants: inputs.slice(0, region.conditionConstants),
          bodyConstants: given,
          scratch,
          initial: inputs.slice(split),
          finals: outputs,
        },
      ]
    }
    case 'branch':
      return [
        {
          tag: 'branch',
          index: inputs[0]!,
          branches: region.branches.map((branch) => lowerBody(branch, target)),
          operands: inputs.slice(1),
          outputs,
        },
      ]
    case 'host':
      return [{ tag: 'host', call: region.call, inputs, outputs }]
    case 'call':
      throw brokenLowering(equation, 'calls are inlined before lowering')
    default:
      return region satisfies never
  }
}
