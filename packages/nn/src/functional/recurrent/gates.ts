/** The gates of recurrent weights by name. */
import { type Tensor, UnsupportedError, erase, showAval, typed } from '@cotangent/core'
import { np } from '@cotangent/ops'

/** What one gate has: columns of the kernels and elements of the biases. */
export type Gate<P> = {
  readonly [K in keyof P as K extends 'projection' | 'peephole' ? never : K]: P[K]
}

/** Input gate, forget gate, candidate ("gate" in PyTorch), output gate. */
export interface LstmGates<P> {
  readonly i: Gate<P>
  readonly f: Gate<P>
  readonly g: Gate<P>
  readonly o: Gate<P>
}
/** Reset gate, update gate, candidate. */
export interface GruGates<P> {
  readonly r: Gate<P>
  readonly z: Gate<P>
  readonly n: Gate<P>
}

interface Kernels {
  readonly kernel: Tensor
  readonly recurrentKernel: Tensor
}

type Gates = <P extends Kernels>(
  params: P,
) => P extends { readonly recurrentBias: Tensor } ? GruGates<P> : LstmGates<P>

const names: Readonly<Record<number, readonly string[]>> = {
  2: ['f', 'n'],
  3: ['r', 'z', 'n'],
  4: ['i', 'f', 'g', 'o'],
}

// What no gate has columns of.
const ungated: readonly string[] = ['projection', 'peephole']

const gatesOf = (params: Readonly<Record<string, Tensor>>): unknown => {
  const { kernel, recurrentKernel, projection } = params
  const units = projection?.shape[0] ?? recurrentKernel!.shape[0]!
  const order = names[kernel!.shape[1]! / units]
  if (order === undefined) {
    throw new UnsupportedError({
      operation: 'gates',
      problem: 'the weights are not those of a gated cell',
      got: `kernel: ${showAval(kernel!.aval)}, recurrentKernel: ${showAval(recurrentKernel!.aval)}`,
      want: 'four gates side by side (LSTM), three (GRU) or two (MGU)',
      fix: 'give the params of one cell, for instance params.lstm1, or params.layer1.forward of a stack',
    })
  }
  const leaves = Object.entries(params).filter(([name]) => !ungated.includes(name))
  const columns = (x: Tensor, n: number): Tensor => x.at('...', `${n * units}:${(n + 1) * units}`)
  return Object.freeze(
    Object.fromEntries(
      order.map((gate, n) => [
        gate,
        Object.freeze(Object.fromEntries(leaves.map(([name, x]) => [name, columns(x, n)]))),
      ]),
    ),
  )
}

/**
 * The gates of an LSTM (i, f, g, o) or a GRU (r, z, n) by name: for each its columns `[…, units]`
 * of kernel, recurrent kernel and biases.
 * @throws UnsupportedError for the weights of a cell without gates.
 * @example
 * gates(params.lstm1).f.bias // of the forget gate: [units]
 */
export const gates: Gates = typed(erase(gatesOf))

interface JoinGates {
  <P>(gates: LstmGates<P>): P
  <P>(gates: GruGates<P>): P
}

const join = (parts: Readonly<Record<string, Readonly<Record<string, Tensor>>>>): unknown => {
  const order = Object.values(names).find(
    (known) => known.every((name) => name in parts) && known.length === Object.keys(parts).length,
  )
  if (order === undefined) {
    throw new UnsupportedError({
      operation: 'joinGates',
      problem: 'these are not the gates of one cell',
      got: Object.keys(parts).join(', '),
      want: 'i, f, g, o or r, z, n',
      fix: 'start from what gates(params) gives',
    })
  }
  const leaves = Object.keys(parts[order[0]!]!)
  return Object.freeze(
    Object.fromEntries(
      leaves.map((leaf) => [
        leaf,
        np.concatenate(
          order.map((name) => parts[name]![leaf]!),
          { axis: -1 },
        ),
      ]),
    ),
  )
}

/** The inverse of `gates`: what was changed by name, side by side again. */
export const joinGates: JoinGates = typed(erase(join))
