import { grad, jit, lax, nn, np, random, scan, type Tensor, tensor, tree, vmap } from 'cotangent'
import { describe, expect, test } from 'vitest'
import { thrownBy } from './support.ts'

const v = tensor([1, 2, 3])

/** What a caller without types can pass. */
const untyped = (value: unknown): never => value as never

describe('what is no tensor', () => {
  const nonsense = [undefined, null, 'text', {}, Symbol('s'), () => 1, new Date(), 10n, new Map()]
  test.each(nonsense.map((x) => [typeof x, x]))('tensor(%s) is refused', (_, x) => {
    const error = thrownBy(() => tensor(untyped(x)))
    expect(error.message).toMatch(/^tensor: /)
  })

  test('in an array, it is refused too', () => {
    for (const x of [undefined, null, 'text', {}]) thrownBy(() => tensor(untyped([1, x])))
  })

  test('as an operand, it is refused by the operation', () => {
    for (const x of [undefined, null, 'text', {}, new Date()]) {
      const error = thrownBy(() => v.add(untyped(x)))
      expect(error.message).toMatch(/^np\.add: /)
      thrownBy(() => np.sin(untyped(x)))
    }
  })

  test('as an argument or a result of a transformed function, it is refused', () => {
    for (const x of ['text', new Date(), Symbol('s')]) {
      thrownBy(() => grad((p: Tensor) => p)(untyped(x)))
      thrownBy(() => jit((p: Tensor) => p)(untyped(x)))
      thrownBy(() => jit(() => untyped(x))())
      thrownBy(() => vmap((_x: Tensor) => untyped(x))(v))
    }
  })
})

describe('ragged and odd arrays', () => {
  test.each([[[[1, 2], [3]]], [[[1], 2]], [[1, [2]]], [[[], [1]]], [[[[1]], [[1, 2]]]]])(
    '%j is ragged',
    (nested) => {
      expect(thrownBy(() => tensor(untyped(nested))).message).toMatch(/ragged|same length|shape/)
    },
  )

  test('a sparse array is refused', () => {
    thrownBy(() => tensor(untyped(new Array(3))))
  })

  test('NaN and infinities are values', () => {
    const x = tensor([NaN, Infinity, -Infinity, -0])
    expect(x.toArray()).toEqual([NaN, Infinity, -Infinity, -0])
    expect(x.max().item()).toBeNaN()
    expect(x.mul(0).toArray()).toEqual([NaN, NaN, NaN, -0])
    expect(np.isnan(x).toArray()).toEqual([true, false, false, false])
    expect(jit((t: Tensor) => t.mul(0))(x).toArray()).toEqual([NaN, NaN, NaN, -0])
    expect(x.sort().toArray()).toEqual([-Infinity, -0, Infinity, NaN])
  })

  test('NaN as an integer does not trap', () => {
    expect(Number.isInteger(tensor([NaN]).astype('int32').item())).toBe(true)
    expect(tensor([1e20]).astype('int32').item()).toBe(2147483647)
  })
})

describe('axes and shapes', () => {
  test.each([3, -4, 0.5, NaN, Infinity])('axis %s is refused', (axis) => {
    const x = np.ones([2, 3, 4])
    for (const f of [
      () => x.sum(axis),
      () => x.max(axis),
      () => np.concatenate([x, x], axis),
      () => np.flip(x, axis),
      () => np.sort(x, axis),
      () => np.cumsum(x, axis),
      () => x.argmax(axis),
    ]) {
      const error = thrownBy(f)
      expect(error.message).toMatch(/axis|axes/)
    }
  })

  test.each([[[2.5]], [[NaN]], [[-2]], [[Infinity]]])('shape %j is refused', (shape) => {
    for (const f of [
      () => np.zeros(shape),
      () => np.ones(shape),
      () => np.full(shape, 1),
      () => v.reshape(shape),
      () => np.broadcastTo(v, shape),
    ])
      thrownBy(f)
  })

  // What code without types may give where the others take options: refused, or understood.
  const x = np.arange(24).reshape([2, 3, 4]).astype('float32')
  const withOptions: readonly (readonly [string, unknown, (given: never) => unknown])[] = [
    ['flip', { axis: 0 }, (o) => np.flip(x, o)],
    ['flip', { axis: [0, 1] }, (o) => np.flip(x, o)],
    ['squeeze', { axis: 0 }, (o) => np.squeeze(np.ones([1, 2]), o)],
    ['expandDims', { axis: 0 }, (o) => np.expandDims(x, o)],
    ['transpose', { axes: [2, 0, 1] }, (o) => np.transpose(x, o)],
    ['permuteDims', { axes: [2, 0, 1] }, (o) => np.permuteDims(x, o)],
    ['swapaxes', { axis1: 0 }, (o) => np.swapaxes(x, o, 1)],
    ['moveaxis', { source: 0 }, (o) => np.moveaxis(x, o, 1)],
    ['moveaxis', { destination: 1 }, (o) => np.moveaxis(x, 0, o)],
    ['rollaxis', { axis: 2 }, (o) => np.rollaxis(x, o)],
    ['rollaxis', { start: 1 }, (o) => np.rollaxis(x, 2, o)],
    ['rot90', { k: 1 }, (o) => np.rot90(x, o)],
    ['rot90', { axes: [1, 2] }, (o) => np.rot90(x, 1, o)],
    ['reshape', { shape: [4, 6] }, (o) => np.reshape(x, o)],
    ['broadcastTo', { shape: [4, 6] }, (o) => np.broadcastTo(1, o)],
    ['zeros', { shape: [2] }, (o) => np.zeros(o)],
    ['full', { shape: [2] }, (o) => np.full(o, 1)],
    ['eye', { n: 2 }, (o) => np.eye(o)],
    ['identity', { n: 2 }, (o) => np.identity(o)],
    ['tri', { n: 2 }, (o) => np.tri(o)],
    ['tri', { k: 1 }, (o) => np.tri(2, 2, o)],
    ['arange', { stop: 3 }, (o) => np.arange(o)],
    ['indices', { dimensions: [2, 3] }, (o) => np.indices(o)],
    ['roll', { shift: 1 }, (o) => np.roll(x, o)],
    ['tile', { reps: 2 }, (o) => np.tile(x, o)],
    ['repeat', { repeats: 2 }, (o) => np.repeat(x, o)],
    ['resize', { newShape: [2] }, (o) => np.resize(x, o)],
    ['split', { sections: 2 }, (o) => np.split(x, o)],
    ['arraySplit', { sections: 2 }, (o) => np.arraySplit(x, o)],
    ['hsplit', { sections: 3 }, (o) => np.hsplit(x, o)],
    ['unstack', { axis: 1 }, (o) => np.unstack(x, o)],
    ['size', { axis: 1 }, (o) => np.size(x, o)],
    ['round', { decimals: 1 }, (o) => np.round(x, o)],
    ['partition', { kth: 1 }, (o) => np.partition(x, o)],
    ['diagIndices', { n: 3 }, (o) => np.diagIndices(o)],
    ['trilIndices', { n: 3 }, (o) => np.trilIndices(o)],
    ['trilIndices', { k: 1 }, (o) => np.trilIndices(3, o)],
    ['triuIndices', { m: 2 }, (o) => np.triuIndices(3, 0, o)],
    ['unravelIndex', { shape: [2, 3] }, (o) => np.unravelIndex(3, o)],
    ['ravelMultiIndex', { dims: [2, 3] }, (o) => np.ravelMultiIndex([[0], [1]], o)],
    ['eye', { k: 1 }, (o) => np.eye(2, 2, o)],
    ['insert', { index: 1 }, (o) => np.insert(v, o, 0)],
    ['delete', { index: [0, 1] }, (o) => np.delete(v, o)],
    ['hanning', { M: 4 }, (o) => np.hanning(o)],
    ['bartlett', { M: 4 }, (o) => np.bartlett(o)],
  ]
  const laxWithOptions: typeof withOptions = [
    ['transpose', { permutation: [2, 0, 1] }, (o) => lax.transpose(x, o)],
    ['reshape', { newSizes: [24] }, (o) => lax.reshape(x, o)],
    ['broadcast', { sizes: [2] }, (o) => lax.broadcast(x, o)],
    ['broadcastInDim', { shape: [2, 3] }, (o) => lax.broadcastInDim(v, o, [1])],
    ['broadcastInDim', { axes: [1] }, (o) => lax.broadcastInDim(v, [2, 3], o)],
    ['broadcastedIota', { shape: [2, 3] }, (o) => lax.broadcastedIota('int32', o, 0)],
    ['slice', { start: [0, 0, 0] }, (o) => lax.slice(x, o, [1, 1, 1])],
    ['dynamicSlice', { sizes: [1, 1, 1] }, (o) => lax.dynamicSlice(x, [0, 0, 0], o)],
    ['reduceSum', { axes: [0] }, (o) => lax.reduceSum(x, o)],
    ['reduceMax', { axis: 0 }, (o) => lax.reduceMax(x, o)],
    ['reduce', { dimensions: [0] }, (o) => lax.reduce(x, 0, lax.add, o)],
    ['expandDims', { dimensions: [0] }, (o) => lax.expandDims(x, o)],
    ['integerPow', { n: 2 }, (o) => lax.integerPow(x, o)],
  ]
  test.each([...withOptions, ...laxWithOptions])('%s in place of a number: %j', (_, options, f) => {
    const error = thrownBy(() => f(untyped(options)))
    const [[name, value]] = Object.entries(Object(options)) as [[string, number | number[]]]
    const spelled = Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
    expect(error.message).toContain(`{ ${name}: ${spelled} }`)
    expect(error.message).toMatch(/want {2}a number/)
    expect(error.message).toMatch(/fix {3}give the .* itself/)
    expect(error.message).toContain(`itself, not in an object: ${spelled}`)
  })

  test('what is no list of tensors is refused', () => {
    for (const f of [np.concatenate, np.stack, np.lexsort, np.meshgrid, np.vstack]) {
      for (const given of ['text', { axis: 0 }]) thrownBy(() => f(untyped(given)))
    }
  })

  test('a huge shape is an error, not a crash', () => {
    expect(thrownBy(() => np.zeros([1e6, 1e6]).sum()).message).toMatch(
      /memory|elements|bytes|GiB|GB|TB|large/i,
    )
    expect(thrownBy(() => np.ones([2 ** 31, 2 ** 31, 2 ** 31]).sum()).message).toMatch(
      /memory|elements|bytes|GiB|GB|TB|large/i,
    )
    expect(
      thrownBy(() => jit((x: Tensor) => np.broadcastTo(x, [1e6, 1e6]).mul(2))(tensor(1))).message,
    ).toMatch(/memory|elements|bytes|GiB|GB|TB|large/i)
  })

  test('empty tensors go through everything', () => {
    const e = np.zeros([0, 3])
    expect(e.sum(0).toArray()).toEqual([0, 0, 0])
    expect(e.prod().item()).toBe(1)
    expect(e.matmul(np.ones([3, 2])).shape).toEqual([0, 2])
    expect(
      np
        .ones([2, 0])
        .matmul(np.ones([0, 2]))
        .toArray(),
    ).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(e.sort().shape).toEqual([0, 3])
    expect(np.concatenate([e, np.ones([1, 3])]).shape).toEqual([1, 3])
    expect(grad((x: Tensor) => x.sum())(e).shape).toEqual([0, 3])
    expect(vmap((x: Tensor) => x.sum())(np.zeros([3, 0])).toArray()).toEqual([0, 0, 0])
    expect(e.mean().item()).toBeNaN()
    expect(() => e.max()).toThrow(/max/)
    expect(() => e.argmax()).toThrow(/argmax/)
    expect(e.max(1).shape).toEqual([0])
  })
})

describe('functions that are not what a transform needs', () => {
  const asynchronous = async (x: Tensor): Promise<Tensor> => x.mul(2).sum()
  test('a promise is refused, and by name', () => {
    for (const f of [
      () => jit(untyped(asynchronous))(untyped(v)),
      () => grad(untyped(asynchronous))(untyped(v)),
      () => vmap(untyped(asynchronous))(untyped(v)),
      () => scan(untyped(asynchronous), v, v),
    ]) {
      expect(thrownBy(f).message).toMatch(/promise|async/i)
    }
  })

  test('what is no function is refused', () => {
    for (const f of [() => jit(untyped(3)), () => grad(untyped(v)), () => vmap(untyped(null))]) {
      expect(thrownBy(f).message).toMatch(/function/)
    }
  })

  test('returning nothing is refused', () => {
    thrownBy(() => grad(untyped(() => undefined))(untyped(v)))
    thrownBy(() => jit(untyped(() => undefined))(untyped(v)))
  })

  test('a tree that contains itself is refused', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    thrownBy(() => tree.leaves(untyped(loop)))
    thrownBy(() => jit((x: Tensor) => x)(untyped(loop)))
  })

  test('an exception inside leaves every transform usable', () => {
    const fail = (x: Tensor): Tensor => {
      throw new Error(`mine, at rank ${x.ndim}`)
    }
    for (const f of [() => jit(fail)(v), () => grad(fail)(v), () => vmap(fail)(v)]) {
      expect(f).toThrow('mine')
    }
    expect(jit(grad((x: Tensor) => x.sum()))(v).toArray()).toEqual([1, 1, 1])
    expect(v.add(1).toArray()).toEqual([2, 3, 4])
  })
})

describe('unknown options', () => {
  test('a misspelt option is refused, not ignored', () => {
    expect(
      thrownBy(() => grad((x: Tensor) => x.sum(), untyped({ argNums: 0 }))(v)).message,
    ).toMatch(/argNums/)
    expect(
      thrownBy(() => vmap((x: Tensor) => x.sum(), untyped({ inAxis: 0 }))(np.ones([2, 2]))).message,
    ).toMatch(/inAxis/)
    expect(
      thrownBy(() => jit((x: Tensor) => x.sum(), untyped({ static: [0] }))(v)).message,
    ).toMatch(/static/)
    expect(thrownBy(() => tensor([1], untyped({ dType: 'int32' }))).message).toMatch(/dType/)
  })
})

describe('arguments of another form, each with what was wanted and the fix', () => {
  const x = np.ones([2, 3])
  const i = tensor([0, 1], { dtype: 'int32' })
  const image = np.ones([1, 2, 4, 4])
  const dense = nn.dense(3)
  const made = dense.init(random.key(0), [2, 4])
  const calls: Readonly<Record<string, () => unknown>> = {
    'np.finfo of an object': () => np.finfo(untyped({})),
    'np.iinfo of nothing': () => np.iinfo(untyped(undefined)),
    'np.issubdtype of no dtype': () => np.issubdtype(untyped('foo'), 'floating'),
    'np.promoteTypes of no dtype': () => np.promoteTypes(untyped('foo'), 'int32'),
    'np.zeros of no dtype': () => np.zeros([1], { dtype: untyped('foo') }),
    'lax.iota with its arguments swapped': () => lax.iota(untyped(3), untyped('int32')),
    'lax.iota of half an element': () => lax.iota('int32', 1.5),
    'lax.broadcastedIota of no dtype': () => lax.broadcastedIota(untyped(0), [3], 0),
    'lax.convertElementType to no dtype': () => lax.convertElementType(x, untyped('foo')),
    'lax.bitcastConvertType to nothing': () => lax.bitcastConvertType(x, untyped(undefined)),
    'lax.dotGeneral without dimension numbers': () => lax.dotGeneral(x, x, untyped(undefined)),
    'lax.dotGeneral with half of them': () => lax.dotGeneral(x, x.T, untyped([[[1], [0]]])),
    'lax.gather without dimension numbers': () => lax.gather(x, i, untyped(undefined), [1, 3]),
    'lax.gather with some of them': () => lax.gather(x, i, untyped({ offsetDims: [0] }), [1, 3]),
    'lax.scatter with none': () => lax.scatter(x, i, x, untyped({})),
    'lax.pad without padding': () => lax.pad(x, 0, untyped(undefined)),
    'lax.pad of one axis': () => lax.pad(x, 0, [[1, 2, 0]]),
    'lax.integerPow to 1.5': () => lax.integerPow(x, 1.5),
    'lax.integerPow to nothing': () => lax.integerPow(x, untyped(undefined)),
    'lax.conv without strides': () => lax.conv(image, image, untyped(undefined), 'SAME'),
    'lax.conv with a padding that does not exist': () =>
      lax.conv(image, image, [1, 1], untyped('FOO')),
    'lax.reduceWindow over a number': () => lax.reduceWindow(x, 0, lax.add, untyped(2)),
    'lax.map of no function': () => lax.map(untyped(x), x),
    'np.pad by nothing': () => np.pad(x, untyped(undefined)),
    'np.pad by a word': () => np.pad(x, untyped('a')),
    'np.einsum without subscripts': () => np.einsum(untyped(x), x),
    'np.einsum of nothing': () => np.einsum(untyped(undefined)),
    'np.transpose of some axes': () => np.transpose(x, [0]),
    'np.concatenate of nothing': () => np.concatenate(untyped(undefined)),
    'nn.oneHot without classes': () => nn.oneHot(i, untyped(undefined)),
    'nn.oneHot of fewer than none': () => nn.oneHot(i, -2),
    'x.set without a list': () => x.set(untyped(0), 1),
    'random.categorical of nothing': () => random.categorical(random.key(0), untyped(undefined)),
    'random.permutation of nothing': () => random.permutation(random.key(0), untyped(undefined)),
    'a layer initialised without a shape': () => dense.init(random.key(0), untyped(undefined)),
    'a layer applied to nothing': () => dense.apply(made, untyped(undefined)),
    'a layer applied without variables': () => dense.apply(untyped(x), x),
  }
  test.each(Object.entries(calls))('%s', (_, call) => {
    const error = thrownBy(call)
    expect(error.message).toMatch(/\n {2}got {3}.+\n(.*\n)*? {2}fix {3}.+/)
  })
})
