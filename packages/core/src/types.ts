/** Types of trees of tensors. */
import type { Tensor } from './tensor.ts'

/** A gradient has the type of its argument; plain numbers become tensors. */
export type Gradient<T> = T extends Tensor | number | boolean
  ? Tensor
  : T extends null | undefined
    ? T
    : { readonly [K in keyof T]: Gradient<T[K]> }

/** Which arguments are differentiated: one position, or several. */
export type Argnums = number | readonly number[]

/** The gradients of the chosen arguments: one tree, or a tuple of trees. */
export type Gradients<A extends readonly unknown[], N extends Argnums> = N extends number
  ? Gradient<A[N]>
  : N extends readonly number[]
    ? { readonly [K in keyof N]: Gradient<A[N[K] & number]> }
    : never

export interface GradOptions<N extends Argnums> {
  /** The argument(s) to differentiate with respect to; 0 by default. */
  readonly argnums?: N
  readonly hasAux?: false
}

export interface GradAuxOptions<N extends Argnums> {
  readonly argnums?: N
  /** The function returns `[value, aux]`; aux is passed through. */
  readonly hasAux: true
}
