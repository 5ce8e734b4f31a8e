/** The generated driver: one function that calls the kernels of a program in order. */
import { type Atom, InternalError, type TypedArray, type Var, isVar } from '@cotangent/core'
import { evaluateAny } from '../js/evaluate.ts'
import type { Plan } from '../plan/plan.ts'
import type { Observer } from '../profile/observer.ts'
import type { KernelStep, Program, Slot } from '../program.ts'
import { constructorOf, lengthOf, view } from './views.ts'
import { type LinkedKernel, Writer } from './writer.ts'

export type { LinkedKernel } from './writer.ts'
export type Run = (inputs: readonly TypedArray[]) => readonly TypedArray[]

export interface Driver {
  readonly source: string
  readonly kernels: readonly LinkedKernel[]
  readonly sources: ReadonlyMap<KernelStep, string>
  readonly run: Run
  /** The same driver over other functions: kernels wrapped in timers. */
  readonly link: (kernels: readonly LinkedKernel['run'][]) => Run
}

/** Writes, evaluates and links the driver of a planned program, with calls of an observer if there is one. */
export const makeDriver = (
  program: Program,
  plan: Plan,
  observer: Observer | null = null,
): Driver => {
  const writer = new Writer(plan, observer?.sites)
  const env = new Map<Slot, string>()
  program.inputs.forEach((v, i) => env.set(v, `x${i}`))
  const written = new Set<Atom>(program.inputs)
  for (const atom of program.outputs) {
    if (!isVar(atom) || written.has(atom)) continue
    written.add(atom)
    const name = writer.fresh('y')
    env.set(atom, name)
    const donor: Var | undefined = plan.donations.get(atom)
    const source =
      donor === undefined ? `new ${constructorOf(atom)}(${lengthOf(atom)})` : env.get(donor)!
    writer.line(1, `const ${name} = ${source}`)
  }
  writer.steps(program, env, 1)
  const results = program.outputs.map((atom) => writer.name(atom, env))
  const parameters = program.inputs.map((_, i) => `x${i}`).join(', ')
  const source = [
    `function driver([${parameters}]) {`,
    ...writer.lines,
    `  return [${results.join(', ')}]`,
    '}',
  ].join('\n')
  const link = (kernels: readonly LinkedKernel['run'][]): Run => {
    const linked = (): Run => linkOnce(source, writer, kernels, plan.arenaBytes, observer)
    return writer.hosts.length === 0 ? linked() : reentrant(linked)
  }
  const { sources } = writer
  return {
    source,
    kernels: writer.kernels,
    sources,
    run: link(writer.kernels.map((k) => k.run)),
    link,
  }
}

const linkOnce = (
  source: string,
  writer: Writer,
  kernels: readonly LinkedKernel['run'][],
  arenaBytes: number,
  observer: Observer | null,
): Run => {
  const arena = new ArrayBuffer(arenaBytes)
  const links = new Map<string, unknown>()
  kernels.forEach((run, i) => links.set(`k${i}`, run))
  writer.temporaries.forEach(({ slot, offset }, i) => links.set(`t${i}`, view(arena, slot, offset)))
  writer.constants.forEach((c, i) => links.set(`c${i}`, c))
  writer.hosts.forEach((h, i) => links.set(`h${i}`, h))
  if (observer !== null) links.set('mark', observer.mark)
  const driver = evaluateAny(source, links)
  return (inputs) => {
    const results = driver(inputs)
    if (isArrayList(results)) return results
    throw new InternalError({ operation: 'driver', problem: 'it returned no arrays', got: source })
  }
}

// A host call may call the function that it is a part of: that run needs an arena of its own.
const reentrant = (linked: () => Run): Run => {
  const first = linked()
  let running = false
  return (inputs) => {
    if (running) return linked()(inputs)
    running = true
    try {
      return first(inputs)
    } finally {
      running = false
    }
  }
}

// The generated driver ends in an array literal of typed arrays.
const isArrayList = (value: unknown): value is readonly TypedArray[] => Array.isArray(value)
