/**
 * The strict functions over the primitives (`prims.exp`), and the closed set of the primitives
 * themselves: every exported record whose name ends in P, by name. The set is read by tests only;
 * programs hold the records themselves. A module added here brings all its primitives, and
 * the tests then do not compile until each has samples.
 */
import * as core from '@cotangent/core'
import type { AnyPrimitive } from '@cotangent/core'
import * as argExtremum from './argExtremum.ts'
import * as arithmetic from './arithmetic.ts'
import * as binary from './binary.ts'
import * as compare from './compare.ts'
import * as concatenate from './concatenate.ts'
import * as contract from './contract.ts'
import * as conv from './conv.ts'
import * as convert from './convert.ts'
import * as cumulative from './cumulative.ts'
import * as dynamic from './dynamic.ts'
import * as gather from './gather.ts'
import * as reduce from './reduce.ts'
import * as scatter from './scatter.ts'
import * as selectScatter from './selectScatter.ts'
import * as slice from './slice.ts'
import * as sort from './sort.ts'
import * as special from './special.ts'
import * as threefry from './threefry.ts'
import * as unary from './unary.ts'
import * as window from './window.ts'

export * from './argExtremum.ts'
export * from './arithmetic.ts'
export * from './binary.ts'
export * from './compare.ts'
export * from './concatenate.ts'
export * from './contract.ts'
export * from './conv.ts'
export * from './convert.ts'
export * from './cumulative.ts'
export * from './dynamic.ts'
export * from './gather.ts'
export * from './reduce.ts'
export * from './scatter.ts'
export * from './selectScatter.ts'
export * from './slice.ts'
export * from './sort.ts'
export * from './special.ts'
export * from './threefry.ts'
export * from './unary.ts'
export * from './window.ts'

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
    typeof argExtremum &
    typeof arithmetic &
    typeof binary &
    typeof compare &
    typeof concatenate &
    typeof contract &
    typeof conv &
    typeof convert &
    typeof cumulative &
    typeof dynamic &
    typeof gather &
    typeof reduce &
    typeof scatter &
    typeof selectScatter &
    typeof slice &
    typeof sort &
    typeof special &
    typeof threefry &
    typeof unary &
    typeof window
>

export const primitives: Primitives = {
  ...primitivesOf(core),
  ...primitivesOf(argExtremum),
  ...primitivesOf(arithmetic),
  ...primitivesOf(binary),
  ...primitivesOf(compare),
  ...primitivesOf(concatenate),
  ...primitivesOf(contract),
  ...primitivesOf(conv),
  ...primitivesOf(convert),
  ...primitivesOf(cumulative),
  ...primitivesOf(dynamic),
  ...primitivesOf(gather),
  ...primitivesOf(reduce),
  ...primitivesOf(scatter),
  ...primitivesOf(selectScatter),
  ...primitivesOf(slice),
  ...primitivesOf(sort),
  ...primitivesOf(special),
  ...primitivesOf(threefry),
  ...primitivesOf(unary),
  ...primitivesOf(window),
}
