/** Tracing: run a function once on tracers and record what it does. */
import { type Aval, showAval } from './aval.ts'
import { type AnyPrimitive, type Each, type Primitive, type Slots } from './primitive.ts'
import { TracerError } from './errors.ts'
import { evaluateEagerly } from './eager.ts'
import { withEffectsHeld } from './evaluate.ts'
import { type Atom, type Equation, type Graph, Literal, Var } from './graph.ts'
import { Origin } from './origin.ts'
import { Concrete, Tensor } from './tensor.ts'

/** A value that is not known yet: a variable of the graph being built. */
export class Tracer extends Tensor {
  readonly builder: Builder
  readonly variable: Var

  constructor(builder: Builder, variable: Var) {
    super()
    this.builder = builder
    this.variable = variable
  }

  get aval(): Aval {
    return this.variable.aval
  }

  concrete(operation: string): Concrete {
    return this.builder.force(this.variable, operation)
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString()
    throw tracerAsNumber(this, 'convert to a number')
  }

  toJSON(): never {
    throw tracerAsNumber(this, 'toJSON')
  }

  override valueOf(): never {
    throw tracerAsNumber(this, 'valueOf')
  }

  override toString(): string {
    return `Tracer<${showAval(this.aval)}> of ${this.builder.transform}`
  }
}

// What console.log prints in Node: its type, not its insides.
Object.defineProperty(Tracer.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Tracer): string {
    return this.toString()
  },
})

const tracerAsNumber = (tracer: Tracer, operation: string): TracerError =>
  new TracerError({
    operation,
    problem: `the value is not known while ${tracer.builder.transform} traces the function`,
    got: showAval(tracer.aval),
    fix: 'use np.where or cond in place of `if`, tensor methods in place of operators, or make the argument static (jit(f, { staticArgs }))',
  })

/** The graph under construction. */
export class Builder {
  readonly parent: Builder | null
  /** The transform's name, for messages. */
  readonly transform: string
  readonly #primals: readonly Tensor[] | null
  readonly #inputs: readonly Var[]
  readonly #captured = new Map<Tracer, Var>()
  readonly #equations: Equation[] = []
  readonly #forced = new Map<Var, Concrete>()
  /** Of the first operation: the call that traces is on its stack too. */
  #origin: Origin | null = null
  #forcedUpTo = 0
  #isClosed = false
  wasForced = false

  constructor(
    parent: Builder | null,
    transform: string,
    types: readonly Aval[],
    primals: readonly Tensor[] | null,
  ) {
    this.parent = parent
    this.transform = transform
    this.#primals = primals
    this.#inputs = types.map((type) => new Var(type))
  }

  get arguments(): readonly Tracer[] {
    return this.#inputs.map((v) => new Tracer(this, v))
  }

  /** Names a tensor in this graph; tracers of enclosing traces become extra inputs. */
  atom(tensor: Tensor, operation: string): Atom {
    if (tensor instanceof Concrete) return new Literal(tensor)
    if (!(tensor instanceof Tracer)) throw leaked(operation)
    if (tensor.builder === this) return tensor.variable
    if (!this.#encloses(tensor.builder)) throw leaked(operation)
    const known = this.#captured.get(tensor)
    if (known !== undefined) return known
    const input = new Var(tensor.aval)
    this.#captured.set(tensor, input)
    return input
  }

  #encloses(other: Builder): boolean {
    for (let b = this.parent; b !== null; b = b.parent) if (b === other) return true
    return false
  }

  record(primitive: AnyPrimitive, inputs: readonly Tensor[], params: unknown): readonly Tracer[] {
    const atoms = inputs.map((x) => this.atom(x, primitive.name))
    const types: readonly Aval[] = primitive.typing(
      inputs.map((x) => x.aval),
      params,
    )
    const outputs = types.map((type) => new Var(type))
    const origin = currentOrigin ?? new Origin((this.#origin ??= new Origin()))
    this.#equations.push({ primitive, inputs: atoms, params, outputs, origin })
    return outputs.map((v) => new Tracer(this, v))
  }

  /**
   * The value of a variable of an eager transform's trace: interprets what was recorded so far,
   * once. Under jit, vmap and in loop bodies there is no value.
   */
  force(variable: Var, operation: string): Concrete {
    if (this.#isClosed) throw leaked(operation)
    if (this.#primals === null) throw tracerAsNumber(new Tracer(this, variable), operation)
    this.wasForced = true
    const read = (atom: Atom): Concrete => {
      if (atom instanceof Literal) return atom.value
      const value = this.#forced.get(atom)
      if (value !== undefined) return value
      const position = this.#inputs.indexOf(atom)
      const primal = position >= 0 ? this.#primals?.[position] : this.#captureOf(atom)
      if (primal === undefined) throw leaked(operation)
      const concrete = primal.concrete(operation)
      this.#forced.set(atom, concrete)
      return concrete
    }
    for (; this.#forcedUpTo < this.#equations.length; this.#forcedUpTo++) {
      const equation = this.#equations[this.#forcedUpTo]!
      const { primitive, inputs, params, outputs } = equation
      const xs = inputs.map(read)
      const values = withEffectsHeld(() => evaluateEagerly(primitive, xs, params))
      outputs.forEach((v, i) => this.#forced.set(v, values[i]!))
    }
    return read(variable)
  }

  #captureOf(variable: Var): Tracer | undefined {
    for (const [tracer, input] of this.#captured) if (input === variable) return tracer
    return undefined
  }

  /** Ends the trace: its tracers have no meaning outside the traced function. */
  close(): void {
    this.#isClosed = true
  }

  finish(outputs: readonly Tensor[]): Traced {
    const atoms = outputs.map((x) => this.atom(x, this.transform))
    const inputs = [...this.#captured.values(), ...this.#inputs]
    return {
      graph: { inputs, equations: this.#equations, outputs: atoms },
      captures: [...this.#captured.keys()],
      wasForced: this.wasForced,
    }
  }
}

const leaked = (operation: string): TracerError =>
  new TracerError({
    operation,
    problem: 'a traced value leaked out of its transform',
    fix: 'return it from the transformed function instead of assigning it to an outer variable',
  })

/** A traced function: a graph whose first inputs are the outer tracers that it closed over. */
export interface Traced {
  readonly graph: Graph
  /** Values of the leading graph inputs. */
  readonly captures: readonly Tensor[]
  /** True where the function read a traced value, so that the graph holds for these inputs only. */
  readonly wasForced: boolean
}

// The one mutable state of core: which graph is being built, and for which user line.
let currentBuilder: Builder | null = null
let currentOrigin: Origin | null = null

export const isTracing = (): boolean => currentBuilder !== null

/**
 * Runs `f` once on tracers of the given types. `primals`, where given, let an eager transform's
 * function read values.
 */
export const trace = (
  transform: string,
  f: (...inputs: readonly Tensor[]) => readonly Tensor[],
  types: readonly Aval[],
  primals: readonly Tensor[] | null = null,
): Traced => {
  const outer = currentBuilder
  const outerOrigin = currentOrigin
  const builder = new Builder(outer, transform, types, primals)
  currentBuilder = builder
  currentOrigin = null
  try {
    return builder.finish(f(...builder.arguments))
  } finally {
    builder.close()
    currentBuilder = outer
    currentOrigin = outerOrigin
  }
}

/** Runs `f` so that what it binds is attributed to `origin`. */
export const withOrigin = <T>(origin: Origin | null, f: () => T): T => {
  const outer = currentOrigin
  currentOrigin = origin
  try {
    return f()
  } finally {
    currentOrigin = outer
  }
}

/**
 * Applies a primitive: records an equation while tracing, computes otherwise. The single
 * interception point of the library.
 */
export const bind = <const S extends Slots, P>(
  primitive: Primitive<S, P>,
  inputs: Each<S, Tensor> & readonly Tensor[],
  params: P,
): readonly Tensor[] => bindAny(primitive, inputs, params)

/** `bind` for an equation that has forgotten its slots. */
export const bindAny = (
  primitive: AnyPrimitive,
  inputs: readonly Tensor[],
  params: unknown,
): readonly Tensor[] => {
  if (currentBuilder !== null) return currentBuilder.record(primitive, inputs, params)
  if (!areConcrete(inputs)) throw leaked(primitive.name)
  return evaluateEagerly(primitive, inputs, params)
}

const areConcrete = (tensors: readonly Tensor[]): tensors is readonly Concrete[] => {
  for (const x of tensors) if (!(x instanceof Concrete)) return false
  return true
}

/** `bind` for a primitive with one output. */
export const bind1 = <const S extends Slots, P>(
  primitive: Primitive<S, P>,
  inputs: Each<S, Tensor> & readonly Tensor[],
  params: P,
): Tensor => bindAny(primitive, inputs, params)[0]!

/** Applies a graph to tensors, equation by equation, through `bind`. */
export const runGraph = (graph: Graph, inputs: readonly Tensor[]): readonly Tensor[] => {
  const env = new Map<Var, Tensor>()
  graph.inputs.forEach((v, i) => env.set(v, inputs[i]!))
  const read = (atom: Atom): Tensor => (atom instanceof Literal ? atom.value : env.get(atom)!)
  for (const { primitive, inputs: atoms, params, outputs, origin } of graph.equations) {
    const values = withOrigin(origin, () => bindAny(primitive, atoms.map(read), params))
    outputs.forEach((v, i) => env.set(v, values[i]!))
  }
  return graph.outputs.map(read)
}
