/** The latest calls of a compiled function: one like them is recognised without making its key. */
import { type Aval, type Leaf, type Structure, flattenAs, leafAval, sealed } from '@cotangent/core'
import type { Call, Variant } from './variant.ts'

/** What a call must look like. */
interface Known {
  readonly variant: Variant
  readonly call: Call
  /** One structure for each argument; null: a static one. */
  readonly structures: readonly (Structure | null)[]
  /** Values of the static arguments, at their positions. */
  readonly args: readonly unknown[]
  readonly types: readonly Aval[]
}

/** A call, and the variant that it runs. */
export interface Recognised {
  readonly variant: Variant
  readonly call: Call
}

const capacity = 4

const leavesOf = (known: Known, args: readonly unknown[]): readonly Leaf[] | null => {
  const { structures, types } = known
  if (args.length !== structures.length) return null
  const leaves: Leaf[] = []
  for (let i = 0; i < structures.length; i++) {
    const structure = structures[i]!
    const fits =
      structure === null ? Object.is(args[i], known.args[i]) : flattenAs(structure, args[i], leaves)
    if (!fits) return null
  }
  for (let i = 0; i < leaves.length; i++) if (leafAval(leaves[i]!) !== types[i]) return null
  return leaves
}

export class Recent {
  /** The last first. */
  #known: readonly Known[] = []

  /** Null where no recent call was of these types, structure and static values. */
  find(args: readonly unknown[]): Recognised | null {
    for (let k = 0; k < this.#known.length; k++) {
      const known = this.#known[k]!
      const leaves = leavesOf(known, args)
      if (leaves === null) continue
      if (k > 0) this.#known = [known, ...this.#known.filter((other) => other !== known)]
      const { key, structure, donated, staticArgs } = known.call
      return { variant: known.variant, call: { key, leaves, structure, donated, staticArgs } }
    }
    return null
  }

  add(args: readonly unknown[], call: Call, variant: Variant): void {
    const { structure, staticArgs, leaves } = call
    if (structure.tag !== 'list') return
    const known: Known = {
      variant,
      // Without the leaves: nothing may keep old arguments alive.
      call: { ...call, leaves: [] },
      structures: structure.children.map((s, i) => (staticArgs.includes(i) ? null : s)),
      args: args.map((arg, i) => (staticArgs.includes(i) ? arg : null)),
      types: leaves.map((leaf) => sealed(leafAval(leaf))),
    }
    this.#known = [known, ...this.#known.slice(0, capacity - 1)]
  }

  clear(): void {
    this.#known = []
  }
}
