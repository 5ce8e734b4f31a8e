/**
 * cotangent: JAX for TypeScript. One import for everything:
 *
 * @example
 * import { grad, jit, np, tensor } from 'cotangent'
 * grad((x) => x.mul(x).sum())(tensor([1, 2, 3])) // [2, 4, 6]
 */
export {
  type Aval,
  CompileError,
  CotangentError,
  DTypeError,
  type DType,
  type Gradient,
  IndexError,
  IR,
  InternalError,
  type IndexPart,
  type NestedNumbers,
  NumericsError,
  type Shape,
  type ShapeDType,
  ShapeError,
  Tensor,
  type TensorLike,
  type TensorOptions,
  TracerError,
  TreeError,
  type TypedArray,
  UnsupportedError,
  type VmapOptions,
  checkpoint,
  customJvp,
  customVjp,
  evalShape,
  grad,
  hessian,
  interpret,
  jacfwd,
  jacrev,
  jvp,
  linearTranspose,
  linearize,
  makeIR,
  stopGradient,
  tensor,
  tree,
  valueAndGrad,
  vjp,
  vmap,
} from '@cotangent/core'
export * as data from '@cotangent/data'
export { type JitOptions, type Jitted, type Lowered, jit } from '@cotangent/jit'
export { models, nn, optim, train } from '@cotangent/nn'
export {
  checkGrads,
  type CheckGradsOptions,
  clipGradient,
  cond,
  costOf,
  type FunctionCost,
  debug,
  foriLoop,
  lax,
  np,
  random,
  scan,
  switchCase,
  whileLoop,
} from '@cotangent/ops'
