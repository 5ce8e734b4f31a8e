/** Gives `Tensor` its methods: each is the function of the same name. */
import { type Operators, installOperators } from '@cotangent/core'
import * as arithmetic from './numpy/arithmetic.ts'
import * as positions from './numpy/arguments.ts'
import * as averages from './numpy/averages.ts'
import * as comparison from './numpy/comparison.ts'
import { cumprod, cumsum } from './numpy/cumulative.ts'
import { at, updateAt } from './numpy/indexing.ts'
import * as linear from './numpy/linear.ts'
import * as math from './numpy/math.ts'
import * as rearrange from './numpy/rearrange.ts'
import * as reductions from './numpy/reductions.ts'
import { where } from './numpy/select.ts'
import * as shapes from './numpy/shape.ts'
import { argsort, sort } from './numpy/sorting.ts'
import { take } from './numpy/take.ts'
import { astype } from './numpy/dtypes.ts'

const operators: Operators = {
  add: arithmetic.add,
  sub: arithmetic.subtract,
  mul: arithmetic.multiply,
  div: arithmetic.divide,
  floorDivide: arithmetic.floorDivide,
  mod: arithmetic.remainder,
  pow: arithmetic.power,
  neg: arithmetic.negative,
  abs: arithmetic.abs,
  sign: arithmetic.sign,
  square: arithmetic.square,
  reciprocal: arithmetic.reciprocal,
  maximum: math.maximum,
  minimum: math.minimum,
  exp: math.exp,
  expm1: math.expm1,
  log: math.log,
  log1p: math.log1p,
  sqrt: math.sqrt,
  sin: math.sin,
  cos: math.cos,
  tan: math.tan,
  tanh: math.tanh,
  floor: math.floor,
  ceil: math.ceil,
  round: math.round,
  clip: math.clip,
  matmul: linear.matmul,
  dot: linear.dot,
  equal: comparison.equal,
  notEqual: comparison.notEqual,
  less: comparison.less,
  lessEqual: comparison.lessEqual,
  greater: comparison.greater,
  greaterEqual: comparison.greaterEqual,
  logicalAnd: comparison.logicalAnd,
  logicalOr: comparison.logicalOr,
  logicalNot: comparison.logicalNot,
  sum: reductions.sum,
  prod: reductions.prod,
  max: reductions.max,
  min: reductions.min,
  any: reductions.any,
  all: reductions.all,
  mean: averages.mean,
  var: averages.var,
  std: averages.std,
  ptp: averages.ptp,
  argmax: positions.argmax,
  argmin: positions.argmin,
  cumsum,
  cumprod,
  sort,
  argsort,
  where,
  reshape: shapes.reshape,
  transpose: shapes.transpose,
  ravel: shapes.ravel,
  swapaxes: shapes.swapaxes,
  diagonal: rearrange.diagonal,
  trace: rearrange.trace,
  repeat: rearrange.repeat,
  take,
  squeeze: shapes.squeeze,
  expandDims: shapes.expandDims,
  broadcastTo: shapes.broadcastTo,
  astype,
  at,
  updateAt,
}

installOperators(operators)
