/** `cond` and `switchCase`: a traced value chooses which function runs. */
import {
  DTypeError,
  ShapeError,
  type Tensor,
  type TensorLike,
  UnsupportedError,
  asTensor,
  bind,
  erase,
  fill,
  isInteger,
  requireFunction,
  showAval,
  traceTree,
  unflatten,
} from '@cotangent/core'
import { ne } from '../prims/compare.ts'
import { convert } from '../prims/convert.ts'
import { min } from '../prims/binary.ts'
import { requireList } from '../promote.ts'
import { branchP } from './branchPrimitive.ts'
import { joinBranches } from './joinBranches.ts'
import {
  type Like,
  type TensorTree,
  type Tensors,
  flattenTensors,
  typesOfTensors,
} from './trees.ts'

/** The operands as a branch gets them. */
export type Operands<A extends readonly unknown[]> = { readonly [K in keyof A]: Tensors<A[K]> }

const choose = (
  operation: string,
  index: Tensor,
  names: readonly string[],
  branches: readonly ((...args: never[]) => unknown)[],
  operands: readonly unknown[],
): TensorTree => {
  const { leaves, structure } = flattenTensors(operands, operation)
  const types = typesOfTensors(leaves)
  const traced = branches.map((f) => traceTree(operation, erase(f), structure, types))
  const joined = joinBranches(operation, names, traced)
  const inputs = [index, ...joined.captures, ...leaves]
  return {
    leaves: bind(branchP, inputs, { branches: joined.branches }),
    structure: joined.structure,
  }
}

/**
 * `then(...operands)` where the predicate holds, `otherwise(...operands)` elsewhere; only one of
 * them runs, except under a vmap that batches the predicate, where both do. A number is true where
 * it is not zero.
 * @throws ShapeError when the predicate is no scalar; TreeError, ShapeError or DTypeError where
 * the branches' results differ.
 * @example
 * cond(x.greater(0), (v) => v.log(), (v) => v, x)
 */
export const cond = <const A extends readonly unknown[], R>(
  predicate: TensorLike,
  then: (...operands: Operands<A>) => R,
  otherwise: (...operands: Operands<A>) => Like<R>,
  ...operands: A
): Tensors<R> => {
  requireFunction('cond', then)
  requireFunction('cond', otherwise)
  const p = asTensor(predicate)
  if (p.ndim !== 0) {
    throw new ShapeError({
      operation: 'cond',
      problem: 'the predicate is one value',
      got: showAval(p.aval),
      want: 'a scalar',
      fix: 'reduce it with all() or any(), or choose element by element with np.where',
    })
  }
  const holds = p.dtype === 'bool' ? p : ne(p, fill([], 0, p.dtype, p.aval.weak))
  const names = ['otherwise', 'then']
  const result = choose('cond', convert(holds, 'int32'), names, [otherwise, then], operands)
  return unflatten(result.structure, result.leaves)
}

/**
 * `branches[i](...operands)`; an index outside the branches is clamped to them. Under a vmap that
 * batches the index, all branches run.
 * @throws DTypeError unless the index is an integer; UnsupportedError where there are no branches;
 * TreeError, ShapeError or DTypeError where the branches' results differ.
 * @example
 * switchCase(1, [(x) => x.add(1), (x) => x.mul(2)], 5) // 10
 */
export const switchCase = <const A extends readonly unknown[], R>(
  index: TensorLike,
  branches: readonly ((...operands: Operands<A>) => R)[],
  ...operands: A
): Tensors<R> => {
  requireList('switchCase', branches)
  branches.forEach((branch) => requireFunction('switchCase', branch))
  const i = asTensor(index)
  if (i.ndim !== 0 || !isInteger(i.dtype)) {
    const report = { operation: 'switchCase', got: showAval(i.aval), want: 'an integer scalar' }
    if (i.ndim !== 0)
      throw new ShapeError({
        ...report,
        problem: 'the index is one value',
        fix: 'give a scalar; vmap chooses one branch for each example',
      })
    throw new DTypeError({
      ...report,
      problem: 'the index must be an integer',
      fix: 'convert it with astype("int32")',
    })
  }
  if (branches.length === 0) {
    throw new UnsupportedError({
      operation: 'switchCase',
      problem: 'there is no branch to choose',
      want: 'at least one function',
      fix: 'give an array of functions',
    })
  }
  // An unsigned index may not fit into int32 before it is clamped.
  const low = i.dtype === 'uint32' ? min(i, fill([], branches.length - 1, i.dtype)) : i
  const names = branches.map((_, b) => `branch ${b}`)
  const result = choose('switchCase', convert(low, 'int32'), names, branches, operands)
  return unflatten(result.structure, result.leaves)
}
