/** What the compiler made of a function, to look at: `jit(f).lower(...args)`. */
import { IR, dtypeInfo, printGraph, showAval, sizeOf } from '@cotangent/core'
import { type Executable, kernelsOf } from './executable.ts'
import type { Stage } from './passes/pipeline.ts'
import { type Program, type Step, typeOf } from './program.ts'
import { showProgram } from './showProgram.ts'

/** One generated function. */
export interface LoweredKernel {
  readonly name: string
  /** JavaScript, or for WebAssembly the loops that its instructions were written from. */
  readonly source: string
}

/** The memory that the executable holds and where temporaries live in it. */
export interface LoweredMemory {
  /** Bytes of the arena all temporaries share. */
  readonly arenaBytes: number
  /** Bytes they would take without sharing. */
  readonly temporaryBytes: number
  readonly temporaries: readonly {
    readonly type: string
    readonly offset: number
    readonly bytes: number
    readonly from: number
    readonly to: number
  }[]
  /** How many outputs overwrite a donated input. */
  readonly donated: number
}

/** A compiled program: call it with arguments of the types it was lowered for. */
export interface Compiled<A extends readonly unknown[], R> extends Executable {
  (...args: A): R
}

export class Lowered<A extends readonly unknown[] = never[], R = unknown> {
  readonly #executable: Executable
  readonly #call: (...args: A) => R

  constructor(executable: Executable, call: (...args: A) => R) {
    this.#executable = executable
    this.#call = call
  }

  /** The graph as traced. */
  get ir(): IR {
    return new IR(this.#executable.graph)
  }

  /** The graph after the last pass. */
  get optimized(): IR {
    return new IR(this.#executable.stages.at(-1)!.graph)
  }

  /** The graph after each pass, by name. */
  get stages(): readonly Stage[] {
    return this.#executable.stages
  }

  /** Which equations share a kernel, in the order they run; bodies of loops are indented. */
  get clusters(): string {
    return describe(this.#executable.program, '').join('\n')
  }

  get kernels(): readonly LoweredKernel[] {
    return kernelsOf(this.#executable)
  }

  /** The source of every kernel and of the driver that calls them. */
  get source(): string {
    const { code, program } = this.#executable
    const driver = code.tag === 'js' ? code.driver.source : showProgram(program)
    return [...this.kernels.map((k) => k.source), driver].join('\n\n')
  }

  /** The WebAssembly module, to be disassembled; null where JavaScript was generated. */
  get wasm(): Uint8Array<ArrayBuffer> | null {
    const { code } = this.#executable
    return code.tag === 'wasm' ? code.program.module.bytes.slice() : null
  }

  get memory(): LoweredMemory {
    const { plan } = this.#executable
    const temporaries = [...plan.addresses].map(([slot, { offset, bytes, start, end }]) => ({
      type: showAval(typeOf(slot)),
      offset,
      bytes,
      from: start,
      to: end,
    }))
    return {
      arenaBytes: plan.arenaBytes,
      temporaryBytes: [...plan.addresses.keys()].reduce((n, slot) => {
        const { shape, dtype } = typeOf(slot)
        return n + sizeOf(shape) * dtypeInfo[dtype].bytes
      }, 0),
      temporaries,
      donated: plan.donations.size,
    }
  }

  /**
   * The compiled function, for arguments of these types only, with the program that it runs.
   * @throws ShapeError when it is called with others.
   */
  compile(): Compiled<A, R> {
    return Object.assign((...args: A): R => this.#call(...args), this.#executable)
  }

  toString(): string {
    return printGraph(this.#executable.stages.at(-1)!.graph)
  }
}

const describe = (program: Program, indent: string): readonly string[] =>
  program.steps.flatMap((step: Step): readonly string[] => {
    switch (step.tag) {
      case 'kernel': {
        const names = step.equations.map((e) => e.primitive.name).join(', ')
        return [`${indent}${step.kernel.name}: ${names}`]
      }
      case 'together':
        return [
          `${indent}${step.name}`,
          ...describe({ ...program, steps: step.parts }, `${indent}  `),
        ]
      case 'scan':
        return [`${indent}scan × ${step.length}`, ...describe(step.body, `${indent}  `)]
      case 'while':
        return [
          `${indent}while`,
          ...describe(step.condition, `${indent}  ? `),
          ...describe(step.body, `${indent}  `),
        ]
      case 'branch':
        return [
          `${indent}branch`,
          ...step.branches.flatMap((b, i) => [
            `${indent}  case ${i}`,
            ...describe(b, `${indent}    `),
          ]),
        ]
      case 'host':
        return [`${indent}host call`]
      default:
        return step satisfies never
    }
  })
