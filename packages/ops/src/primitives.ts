/**
 * The closed set of primitives: every exported record whose name ends in P, by name. Tests and
 * tools read it; programs hold the records themselves. A module added here brings all its
 * primitives, and the tests then do not compile until each has samples.
 */
import * as core from '@cotangent/core'
import type { AnyPrimitive } from '@cotangent/core'
import * as branch from './control/branchPrimitive.ts'
import * as collective from './control/collectivePrimitives.ts'
import * as host from './control/effects.ts'
import * as scan from './control/scanPrimitive.ts'
import * as whileLoop from './control/whilePrimitive.ts'
import * as prims from './prims/index.ts'

/** The primitives among a module's exports: `expP` as `exp`. */
type PrimitivesOf<Module> = {
  readonly [K in keyof Module as Module[K] extends AnyPrimitive
    ? K extends `${infer Name}P`
      ? Name
      : never
    : never]: Module[K]
}

const primitivesOf = <Module extends object>(module: Module): PrimitivesOf<Module> => {
  const records = Object.entries(module)
    .filter(([name, value]) => name.endsWith('P') && typeof value === 'object')
    .map(([name, value]) => [name.slice(0, -1), value])
  // TypeScript cannot follow names through Object.entries.
  const collected: unknown = Object.fromEntries(records)
  return collected as PrimitivesOf<Module>
}

export type Primitives = PrimitivesOf<
  typeof core &
    typeof prims &
    typeof branch &
    typeof collective &
    typeof host &
    typeof scan &
    typeof whileLoop
>

export const primitives: Primitives = {
  ...primitivesOf(core),
  ...primitivesOf(prims),
  ...primitivesOf(branch),
  ...primitivesOf(collective),
  ...primitivesOf(host),
  ...primitivesOf(scan),
  ...primitivesOf(whileLoop),
}
