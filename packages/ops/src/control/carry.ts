/** A carry keeps its type from step to step: how a weakly typed start gives way, and the errors. */
import {
  type Aval,
  DTypeError,
  ShapeError,
  type Structure,
  type Tensor,
  TreeError,
  leafPaths,
  promote,
  sameShape,
  showAval,
  strong,
} from '@cotangent/core'
import { cast } from '../promote.ts'

/** What a body makes of a carry of the given types. */
export interface CarryResult {
  readonly structure: Structure
  readonly types: readonly Aval[]
}

/**
 * The types at which the carry is stable: a weakly typed leaf takes the type that the body gives
 * it. `traceWith` traces the body at the given types.
 * @throws TreeError @throws ShapeError @throws DTypeError where the body changes the carry.
 */
export const settleCarry = <T extends CarryResult>(
  operation: string,
  structure: Structure,
  start: readonly Aval[],
  traceWith: (types: readonly Aval[]) => T,
): { readonly types: readonly Aval[]; readonly result: T } => {
  let types = start
  for (;;) {
    const result = traceWith(types)
    if (result.structure.key !== structure.key) throw otherTree(operation, result, structure)
    const next = types.map((type, i) => meet(type, result.types[i]!))
    if (next.every((type, i) => type === types[i])) {
      checkCarry(operation, structure, types, result.types)
      return { types, result }
    }
    types = next
  }
}

const meet = (type: Aval, result: Aval): Aval => {
  if (!type.weak) return type
  if (type.dtype === result.dtype) return result.weak ? type : strong(type)
  const { dtype, weak } = promote([type, result])
  return dtype === type.dtype && weak ? type : { ...type, dtype, weak }
}

/** The starting values in the settled types. */
export const castCarry = (start: readonly Tensor[], types: readonly Aval[]): readonly Tensor[] =>
  start.map((x, i) => cast(x, types[i]!.dtype, types[i]!.weak))

const otherTree = (operation: string, got: CarryResult, want: Structure): TreeError =>
  new TreeError({
    operation,
    problem: 'the body returns a carry of another structure than it gets',
    got: got.structure.key,
    want: want.key,
    fix: 'return the same nesting and the same property names as the initial carry',
  })

const checkCarry = (
  operation: string,
  structure: Structure,
  types: readonly Aval[],
  results: readonly Aval[],
): void => {
  types.forEach((type, i) => {
    const result = results[i]!
    const shapes = sameShape(type.shape, result.shape)
    if (shapes && type.dtype === result.dtype) return
    const path = leafPaths(structure)[i]!
    const report = {
      operation,
      problem: `the body changes the type of the carry${path === '' ? '' : ` at ${path}`}`,
      got: `${showAval(result)} from the body`,
      want: `${showAval(type)}, as the body gets it`,
      fix: shapes
        ? 'start with the dtype that the body returns, or convert its result with astype'
        : 'start with the shape that the body returns, or keep the shape in the body',
    }
    throw shapes ? new DTypeError(report) : new ShapeError(report)
  })
}
