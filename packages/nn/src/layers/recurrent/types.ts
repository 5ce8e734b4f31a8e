/** What goes into recurrent layers and comes out: options, sequences, and trees by layer and direction. */
import type { Tensor } from '@cotangent/core'
import type { Merge } from '../../functional/recurrent/index.ts'

export interface RecurrentOptions {
  /** Give the output of every step, `[batch, time, units]`, or only the last; true. */
  readonly returnSequences?: boolean
  /** Give `{ outputs, carry }`: the final state too. False by default. */
  readonly returnCarry?: boolean
  /** From the last step to the first; outputs keep their places. */
  readonly reverse?: boolean
  /** Cells on top of each other, named `layer1`, `layer2`, … in `params` and carry; 1 by default. */
  readonly layers?: number
  /** One cell each way, named `forward` and `backward` in `params` and carry. */
  readonly bidirectional?: boolean
  /** How the two ways become one: side by side (the default), or element by element. */
  readonly merge?: Merge
  /** In training, the share of elements dropped between layers; 0 by default. */
  readonly dropout?: number
  /** Gradients flow back through windows of so many steps alone; through all by default. */
  readonly truncate?: number
}

/** A sequence `[batch, time, …features]` alone, or with what there is to say about it. */
export type RecurrentInput<C> = Tensor | Sequence<C>
export interface Sequence<C> {
  readonly inputs: Tensor
  /** The state before the first step; zeros by default. */
  readonly carry?: C | undefined
  /** `[batch, time]`, true where a sequence has a step. */
  readonly mask?: Tensor | undefined
  /** `[batch]`: the steps of each sequence. */
  readonly lengths?: Tensor | undefined
}
/** With `returnCarry`: the outputs and the state after the last step. */
export interface RecurrentOutput<C> {
  readonly outputs: Tensor
  readonly carry: C
}

type LayerNames<N extends number, Seen extends readonly unknown[] = []> = number extends N
  ? `layer${number}`
  : Seen['length'] extends N
    ? never
    : `layer${[...Seen, unknown]['length'] & number}` | LayerNames<N, [...Seen, unknown]>

type Directed<T, O> = O extends { readonly bidirectional: true }
  ? { readonly forward: T; readonly backward: T }
  : T

/** Something per cell, as the options say: by layer where there are several, then by direction. */
export type PerCell<T, O> = O extends { readonly layers: infer N extends number }
  ? N extends 1
    ? Directed<T, O>
    : { readonly [K in LayerNames<N>]: Directed<T, O> }
  : Directed<T, O>

/** The output that the options ask for. */
export type OutputFor<C, O> = O extends { readonly returnCarry: true }
  ? RecurrentOutput<PerCell<C, O>>
  : Tensor
