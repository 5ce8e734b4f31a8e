/** Forward mode: a graph run on primals and tangents side by side. */
import { isInexact } from '../dtype.ts'
import { type Atom, type Graph, Literal, type Var } from '../graph.ts'
import { addMaybe } from '../prims/add.ts'
import { type JvpTerm, type MaybeZero, type Zero, zero } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { bindAny, withOrigin } from '../trace.ts'

export interface PrimalsAndTangents {
  readonly outputs: readonly Tensor[]
  /** null: a tangent known to be zero. */
  readonly tangents: readonly MaybeZero[]
}

type SlotTerms = Readonly<Record<string, JvpTerm<readonly string[], unknown> | Zero>>

/** `graph` at `primals` along `tangents`, through `bind`. Zeros stay symbolic. */
export const jvpGraph = (
  graph: Graph,
  primals: readonly Tensor[],
  tangents: readonly MaybeZero[],
): PrimalsAndTangents => {
  const primalOf = new Map<Var, Tensor>()
  const tangentOf = new Map<Var, Tensor>()
  const write = (v: Var, primal: Tensor, tangent: MaybeZero): void => {
    primalOf.set(v, primal)
    if (tangent !== null && isInexact(v.aval.dtype)) tangentOf.set(v, tangent)
  }
  const primal = (atom: Atom): Tensor =>
    atom instanceof Literal ? atom.value : primalOf.get(atom)!
  const tangent = (atom: Atom): MaybeZero =>
    atom instanceof Literal ? null : (tangentOf.get(atom) ?? null)

  graph.inputs.forEach((v, i) => write(v, primals[i]!, tangents[i]!))
  for (const { primitive, inputs, params, outputs, origin } of graph.equations) {
    withOrigin(origin, () => {
      const xs = inputs.map(primal)
      const dxs = inputs.map(tangent)
      if (dxs.every((d) => d === null)) {
        const ys = bindAny(primitive, xs, params)
        outputs.forEach((v, i) => write(v, ys[i]!, null))
        return
      }
      if (typeof primitive.jvp === 'function') {
        const result: PrimalsAndTangents = primitive.jvp(xs, dxs, params)
        outputs.forEach((v, i) => write(v, result.outputs[i]!, result.tangents[i]!))
        return
      }
      const rules: SlotTerms = primitive.jvp
      const y = bindAny(primitive, xs, params)[0]!
      let dy: MaybeZero = null
      for (const [i, slot] of primitive.slots.entries()) {
        const rule = rules[slot]
        const dx = dxs[i]!
        if (dx === null || rule === undefined || rule === zero) continue
        dy = addMaybe(dy, rule(dx, xs, y, params))
      }
      write(outputs[0]!, y, dy)
    })
  }
  return { outputs: graph.outputs.map(primal), tangents: graph.outputs.map(tangent) }
}
