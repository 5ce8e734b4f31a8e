import * as api from 'cotangent'
import { describe, expect, test } from 'vitest'

const has = (holder: object, names: string): readonly string[] =>
  names
    .trim()
    .split(/\s+/)
    .filter((name) => !(name in holder))

describe('the one import', () => {
  test('has the transforms', () => {
    expect(
      has(
        api,
        `grad valueAndGrad jvp vjp linearize linearTranspose jacfwd jacrev hessian vmap jit scan whileLoop
        foriLoop cond switchCase checkpoint customJvp customVjp stopGradient clipGradient makeIR evalShape
        costOf checkGrads debug interpret tensor tree np lax random nn optim train models data`,
      ),
    ).toEqual([])
  })

  test('has tools to see what jit does', () => {
    expect(has(api.jit, 'profile explain')).toEqual([])
  })

  test('has the errors', () => {
    expect(
      has(
        api,
        `CotangentError ShapeError DTypeError TreeError TracerError IndexError UnsupportedError
        CompileError NumericsError`,
      ),
    ).toEqual([])
  })

  test('has the tree functions', () => {
    expect(
      has(
        api.tree,
        `map mapWithPath leaves flatten unflatten structure reduce all zip transpose partition combine at
        equals allClose size bytes toString register update`,
      ),
    ).toEqual([])
    expect(Object.hasOwn(api.tree, 'toString')).toBe(true)
  })

  test('has the collectives and the structural layer', () => {
    expect(
      has(
        api.lax,
        `psum pmean pmax pmin allGather axisIndex map associativeScan dotGeneral convGeneralDilated
        convTranspose reduceWindow selectAndScatterAdd gather scatter scatterAdd scatterMul scatterMin
        scatterMax dynamicSlice dynamicUpdateSlice pad sort topK cumsum cumprod cummax cummin erf lgamma
        scan whileLoop foriLoop cond stopGradient`,
      ),
    ).toEqual([])
  })

  test('has the functions of arrays that people use most', () => {
    expect(
      has(
        api.np,
        `zeros ones full empty zerosLike onesLike fullLike arange linspace logspace eye identity tri tril triu diag
        meshgrid array asarray
        add subtract multiply divide trueDivide floorDivide mod remainder power negative abs absolute sign sqrt square
        exp expm1 exp2 log log1p log2 log10 sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh
        floor ceil round trunc rint clip maximum minimum isnan isinf isfinite reciprocal cbrt hypot
        equal notEqual less lessEqual greater greaterEqual logicalAnd logicalOr logicalNot logicalXor
        bitwiseAnd bitwiseOr bitwiseXor leftShift rightShift
        sum prod mean std var max min argmax argmin any all cumsum cumprod median quantile percentile
        nansum nanmean nanmax nanmin ptp average countNonzero
        reshape transpose swapaxes moveaxis squeeze expandDims broadcastTo ravel concatenate stack vstack hstack
        split arraySplit tile repeat flip roll rot90 pad atleast1d atleast2d
        where take takeAlongAxis sort argsort searchsorted
        dot matmul vdot inner outer tensordot einsum kron cross trace
        allclose isclose arrayEqual nanToNum histogram bincount unique diff`,
      ),
    ).toEqual([])
  })

  test('has the samplers', () => {
    expect(
      has(
        api.random,
        'key split foldIn bits uniform normal bernoulli randint permutation categorical truncatedNormal',
      ),
    ).toEqual([])
  })

  test('has the layers, losses, optimisers, models and sources', () => {
    expect(
      has(
        api.nn,
        `dense conv2d maxPool2d avgPool2d batchNorm dropout flatten rnn lstm gru serial relu sigmoid tanh
        softmax gelu losses metrics initializers regularizers`,
      ),
    ).toEqual([])
    expect(has(api.nn.losses, 'softmaxCrossEntropy meanSquaredError')).toEqual([])
    expect(has(api.nn.metrics, 'accuracy topK precision recall f1 auc perplexity bleu r2')).toEqual(
      [],
    )
    expect(has(api.nn.regularizers, 'l0 l1 l2 elasticNet')).toEqual([])
    expect(has(api.optim, 'sgd adam adamw chain clipByGlobalNorm applyUpdates')).toEqual([])
    expect(has(api.train, 'fit')).toEqual([])
    expect(
      has(
        api.models,
        `perceptron linearRegression softmaxRegression mlp lenet5 alexnet vgg nin inceptionV1 inceptionV2
        inceptionV3 resnet resnext densenet`,
      ),
    ).toEqual([])
    expect(has(api.data, 'mnist digits idx fromArrays')).toEqual([])
  })

  test('has no default export', () => {
    expect('default' in api).toBe(false)
  })
})
