/** The typed IR: single assignment, a list of equations. */
import { type Aval, sealed } from './aval.ts'
import type { Origin } from './origin.ts'
import type { AnyPrimitive } from './primitive.ts'
import type { Concrete } from './tensor.ts'

/** A value named once: an input of the graph or an output of one equation. */
export class Var {
  readonly aval: Aval
  constructor(aval: Aval) {
    this.aval = sealed(aval)
  }
}

/** A constant that the program closed over. */
export class Literal {
  readonly value: Concrete
  constructor(value: Concrete) {
    this.value = value
  }
  get aval(): Aval {
    return this.value.aval
  }
}

export type Atom = Var | Literal

export interface Equation {
  readonly primitive: AnyPrimitive
  readonly inputs: readonly Atom[]
  readonly params: unknown
  readonly outputs: readonly Var[]
  /** The user's line, for messages. */
  readonly origin: Origin
}

export interface Graph {
  readonly inputs: readonly Var[]
  readonly equations: readonly Equation[]
  readonly outputs: readonly Atom[]
}

export const isVar = (atom: Atom): atom is Var => atom instanceof Var

export const typesOf = (atoms: readonly Atom[]): readonly Aval[] => atoms.map((a) => a.aval)

export const isGraph = (value: unknown): value is Graph =>
  typeof value === 'object' && value !== null && 'equations' in value && 'inputs' in value

/** The graphs that an equation's parameters hold (loop bodies, branches), with their names. */
export const subgraphs = (params: unknown): readonly NamedGraph[] => {
  if (!isRecord(params)) return none
  // Asked of every equation, nearly all of which hold none.
  let found: NamedGraph[] | null = null
  for (const name in params) {
    const value = params[name]
    if (typeof value !== 'object' || value === null) continue
    if (isGraph(value)) (found ??= []).push([name, value])
    else if (isList(value)) {
      for (let i = 0; i < value.length; i++) {
        const item = value[i]
        if (isGraph(item)) (found ??= []).push([`${name}[${i}]`, item])
      }
    }
  }
  return found ?? none
}

type NamedGraph = readonly [name: string, graph: Graph]
const none: readonly NamedGraph[] = []

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isList = (value: object): value is readonly unknown[] => Array.isArray(value)

/** Parameters whose graphs are replaced by `f` of them; everything else is kept. */
export const mapSubgraphs = (params: unknown, f: (graph: Graph) => Graph): unknown => {
  if (typeof params !== 'object' || params === null) return params
  return Object.fromEntries(
    Object.entries(params).map(([name, value]: [string, unknown]) => {
      if (isGraph(value)) return [name, f(value)]
      if (!Array.isArray(value)) return [name, value]
      return [name, value.map((item: unknown) => (isGraph(item) ? f(item) : item))]
    }),
  )
}

/** True where running the equation matters even if nobody reads its results. */
export const isEffectful = ({ primitive, params }: Equation): boolean =>
  primitive.effectful || subgraphs(params).some(([, graph]) => graph.equations.some(isEffectful))
