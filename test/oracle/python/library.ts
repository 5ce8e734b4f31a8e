/** The roots that formulas know (`np`, `lax`, `nn`, `jax`, …), backed by our functions. */
import * as core from '@cotangent/core'
import { type DType, type IndexPart, Tensor, isDType, tensor, tree } from '@cotangent/core'
import * as ops from '@cotangent/ops'
import { renamed, plainOptions, signatures } from './signatures.ts'
import { type Keywords, PyFloat, PyFunction, asFunction, isDict, isFunction, literalDType, missing, numberOf, plain, toApi } from './values.ts'

type Namespace = Readonly<Record<string, unknown>>

export const camel = (name: string): string => name.replace(/_+([a-z0-9])/g, (_, c: string) => c.toUpperCase())

const scalarTypes: Readonly<Record<string, DType>> = { int: 'int32', float: 'float32', bool: 'bool' }

const spaces: Readonly<Record<string, Namespace>> = {
  np: ops.np,
  lax: ops.lax,
  nn: ops.nnFunctions,
  random: ops.random,
  'scipy.special': { ...Object(Reflect.get(ops, 'special')), ...ops.nnFunctions },
  'np.linalg': Object(Reflect.get(ops, 'linalg') ?? Reflect.get(ops.np, 'linalg')),
  'np.fft': Object(Reflect.get(ops, 'fft') ?? Reflect.get(ops.np, 'fft')),
  'jax.ops': ops as unknown as Namespace,
}

const optionsOf = (kwargs: Keywords): Record<string, unknown> => {
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(kwargs)) {
    const key = camel(name)
    options[key] = plainOptions.has(key) ? plain(value) : toApi(value)
  }
  return options
}

/** Arguments in our order: positional ones first, the rest as options. */
const arrange = (name: string, args: readonly unknown[], kwargs: Keywords): readonly unknown[] => {
  const order = signatures[name]
  if (order === undefined) {
    const options = optionsOf(kwargs)
    return Object.keys(options).length === 0 ? args.map(toApi) : [...args.map(toApi), options]
  }
  const rest = { ...kwargs }
  const placed: unknown[] = [...args]
  order.forEach((parameter, i) => {
    if (i < args.length || !Object.hasOwn(rest, parameter)) return
    placed[i] = rest[parameter]
    delete rest[parameter]
  })
  const filled = Array.from(placed, (v, i) =>
    v === undefined ? undefined : order[i] === 'dtype' ? (scalarTypes[String(v)] ?? v) : toApi(v),
  )
  const options = optionsOf(rest)
  if (Object.keys(options).length === 0) return filled
  while (filled.length < order.length) filled.push(undefined)
  return [...filled, options]
}

const asDType = (value: unknown): DType | undefined => (typeof value === 'string' && isDType(value) ? value : undefined)

const makeArray = (value: unknown, kwargs: Keywords, second?: unknown): Tensor => {
  const dtype = asDType(kwargs['dtype'] ?? second)
  if (value instanceof Tensor) return dtype === undefined ? value : value.astype(dtype)
  const given = toApi(value)
  if (dtype === undefined && !Array.isArray(value)) return core.asTensor(given as core.TensorLike)
  return tensor(plain(value) as core.TensorLike, { dtype: dtype ?? literalDType(value) })
}

type Adapter = (args: readonly unknown[], kwargs: Keywords) => unknown

const arange: Adapter = (args, kwargs) => {
  const names = ['start', 'stop', 'step']
  const all = names.map((n, i) => args[i] ?? kwargs[n])
  const isFloat = all.some((v) => v instanceof PyFloat || (typeof v === 'number' && !Number.isInteger(v)) || (v instanceof Tensor && v.dtype === 'float32'))
  const [start, stop, step] = all.map((v) => (v === undefined || v === null ? undefined : numberOf(v)))
  return ops.np.arange(start!, stop, step ?? 1, asDType(kwargs['dtype']) ?? (isFloat ? 'float32' : 'int32'))
}

const reshape = (x: Tensor, shape: readonly unknown[]): Tensor => x.reshape(shape.flat().map(numberOf))

const axesTree = (axes: unknown): unknown => axes

const f1 = (f: unknown): ((...args: readonly unknown[]) => unknown) => {
  if (f instanceof PyFunction) return asFunction(f)
  if (isFunction(f)) return f
  throw missing('a transform of something that is no function')
}

// A transformed function takes the formula's values and gives ours.
const lifted = (g: (...args: readonly unknown[]) => unknown): PyFunction =>
  new PyFunction((args) => g(...args.map(toApi)))

const argnums = (kwargs: Keywords): { readonly argnums?: number | readonly number[]; readonly hasAux?: true } => {
  const given = kwargs['argnums']
  return {
    ...(given === undefined ? {} : { argnums: Array.isArray(given) ? given.map(numberOf) : numberOf(given) }),
    ...(kwargs['has_aux'] === true ? { hasAux: true } : {}),
  }
}

const anyCore = core as unknown as Record<string, (...args: readonly unknown[]) => unknown>

const transform =
  (name: string): Adapter =>
  ([f], kwargs) => {
    const options = argnums(kwargs)
    const g = anyCore[name]!(f1(f), ...(Object.keys(options).length === 0 ? [] : [options]))
    return lifted(f1(g))
  }

const vmap: Adapter = ([f, inAxes, outAxes], kwargs) => {
  const given = { in: kwargs['in_axes'] ?? inAxes, out: kwargs['out_axes'] ?? outAxes }
  const isSet = (name: string, value: unknown): boolean => value !== undefined || Object.hasOwn(kwargs, name)
  const options = {
    ...(isSet('in_axes', given.in) ? { inAxes: axesTree(given.in ?? null) } : {}),
    ...(isSet('out_axes', given.out) ? { outAxes: axesTree(given.out ?? null) } : {}),
    ...(kwargs['axis_name'] === undefined ? {} : { axisName: kwargs['axis_name'] }),
    ...(kwargs['axis_size'] === undefined ? {} : { axisSize: numberOf(kwargs['axis_size']) }),
  }
  return new PyFunction((args, named) => {
    if (Object.keys(named).length > 0) throw missing('keyword arguments of a mapped function')
    return f1(anyCore['vmap']!(f1(f), options))(...args.map(toApi))
  })
}

const customJvp: Adapter = ([f]) => {
  let rule: PyFunction | null = null
  const attributes: Record<string, unknown> = {}
  const g = anyCore['customJvp']!(asFunction(f as PyFunction), (primals: unknown, tangents: unknown) =>
    toApi(rule!.call([primals, tangents], {})),
  )
  const self = new PyFunction((args) => {
    if (rule === null) return asFunction(f as PyFunction)(...args.map(toApi))
    return f1(g)(...args.map(toApi))
  }, attributes)
  attributes['defjvp'] = new PyFunction(([g]) => {
    rule = g as PyFunction
    return g
  })
  attributes['defjvps'] = new PyFunction((rules) => {
    rule = new PyFunction(([primals, tangents]) => {
      const [xs, dxs] = [primals as readonly unknown[], tangents as readonly unknown[]]
      const y = toApi((f as PyFunction).call(xs, {}))
      const terms = rules.map((r, i) => (r === null ? null : toApi((r as PyFunction).call([dxs[i], y, ...xs], {}))))
      const present = terms.filter((t): t is Tensor => t instanceof Tensor)
      return [y, present.reduce((a, b) => a.add(b))]
    })
    return null
  })
  return self
}

const customVjp: Adapter = ([f], kwargs) => {
  let rules: readonly [PyFunction, PyFunction] | null = null
  const nondiff = (kwargs['nondiff_argnums'] as readonly number[] | undefined) ?? []
  const attributes: Record<string, unknown> = {}
  let made: unknown = null
  const self = new PyFunction((args) => {
    const fixed = nondiff.map((i) => args[i])
    const free = args.filter((_, i) => !nondiff.includes(i)).map(toApi)
    const whole = (...xs: readonly unknown[]): readonly unknown[] => {
      const rest = [...xs]
      return args.map((a, i) => (nondiff.includes(i) ? a : rest.shift()))
    }
    const [fwd, bwd] = rules!
    // A rule that calls its own function must meet the same one.
    const g = nondiff.length === 0 && made !== null ? made : anyCore['customVjp']!(
      (...xs: readonly unknown[]) => toApi((f as PyFunction).call(whole(...xs), {})),
      (...xs: readonly unknown[]) => toApi(fwd.call(whole(...xs), {})),
      (residuals: unknown, ct: unknown) => toApi(bwd.call([...fixed, residuals, ct], {})),
    )
    made = g
    return f1(g)(...free)
  }, attributes)
  attributes['defvjp'] = new PyFunction(([fwd, bwd]) => {
    rules = [fwd as PyFunction, bwd as PyFunction]
    return null
  })
  return self
}

const policies: Readonly<Record<string, string>> = {
  dots_saveable: 'dots',
  nothing_saveable: 'nothing',
  everything_saveable: 'everything',
}

const checkpoint: Adapter = ([f], kwargs) => {
  const policy = kwargs['policy']
  return lifted(f1(anyCore['checkpoint']!(f1(f), policy === undefined ? {} : { policy })))
}

const atMethods: Readonly<Record<string, string>> = { add: 'add', subtract: 'subtract', multiply: 'multiply', mul: 'multiply', divide: 'divide', power: 'power', min: 'min', max: 'max', set: 'set' }

/** `x.at[index].method(...)`. */
const atMethod = (name: string, [x, parts]: readonly [Tensor, readonly IndexPart[]]): PyFunction =>
  new PyFunction((args, kwargs) => {
    const options = optionsOf(kwargs)
    if (name === 'get') return ops.np.at(x, parts, options)
    if (name === 'apply') {
      const g = f1(args[0])
      return ops.np.updateAt(x, parts, 'set', g(ops.np.at(x, parts)) as Tensor)
    }
    const kind = atMethods[name]
    if (kind === undefined) throw missing(`at.${name}`)
    return ops.np.updateAt(x, parts, kind as 'set', toApi(args[0]) as Tensor, options)
  })

/** A reduction's own reductions, such as `np.maximum.reduce`. */
const ufunc = (name: string, call: PyFunction): PyFunction => {
  const reducers: Readonly<Record<string, string>> = { maximum: 'max', minimum: 'min', add: 'sum', multiply: 'prod' }
  const reducer = reducers[name]
  if (reducer === undefined) return call
  return new PyFunction(call.call, {
    reduce: new PyFunction((args, kwargs) => callSpace('np', reducer, args, { axis: 0, ...kwargs })),
  })
}

const adapters: Readonly<Record<string, Adapter>> = {
  'np.array': ([v, d], kwargs) => makeArray(v, kwargs, d),
  'np.asarray': ([v, d], kwargs) => makeArray(v, kwargs, d),
  'np.arange': arange,
  'np.meshgrid': (args, kwargs) => ops.np.meshgrid(args.map(toApi) as readonly Tensor[], optionsOf(kwargs)),
  'np.einsum': (args, kwargs) => {
    const given = kwargs['subscripts']
    const [subscripts, ...operands] = typeof given === 'string' ? [given, ...args] : args
    return ops.np.einsum(String(subscripts), ...(operands.map(toApi) as readonly Tensor[]))
  },
  'np.linspace': (args, kwargs) => {
    const { retstep, ...rest } = kwargs
    const given = arrange('np.linspace', args, rest) as Parameters<typeof ops.np.linspace>
    return retstep === true ? ops.np.linspaceAndStep(...given) : ops.np.linspace(...given)
  },
  'np.unique': (args, kwargs) => ops.np.unique(args[0] as Tensor, optionsOf(kwargs)),
  'np.bincount': (args, kwargs) => ops.np.bincount(args[0] as Tensor, optionsOf(kwargs)),
  'np.broadcast_shapes': (args) => ops.np.broadcastShapes(...(args as readonly (readonly number[])[])),
  'np.gradient': (args, kwargs) => ops.np.gradient(args[0] as Tensor, ...(args.slice(1).map(plain) as [number]), ...(Object.keys(kwargs).length === 0 ? [] : [])),
  'np.insert': ([x, obj, values], kwargs) => ops.np.insert(x as Tensor, obj as number, toApi(values) as Tensor, optionsOf(kwargs)),
  'np.cov': (args, kwargs) => ops.np.cov(args[0] as Tensor, (args[1] as Tensor | undefined) ?? null, optionsOf(kwargs)),
  'np.corrcoef': (args, kwargs) => ops.np.corrcoef(args[0] as Tensor, (args[1] as Tensor | undefined) ?? null, optionsOf(kwargs)),
  'np.put_along_axis': ([x, i, v], kwargs) => {
    const { inplace: _, ...rest } = kwargs
    return ops.np.putAlongAxis(x as Tensor, i as Tensor, toApi(v) as Tensor, optionsOf(rest))
  },
  'scipy.special.logsumexp': (args, kwargs) => {
    const { return_sign, ...rest } = kwargs
    const options = optionsOf(rest)
    const x = toApi(args[0]) as Tensor
    return return_sign === true ? ops.nnFunctions.logsumexpAndSign(x, options) : ops.nnFunctions.logsumexp(x, options)
  },
  'lax.top_k': ([x, k], kwargs) => ops.lax.topK(x as Tensor, numberOf(k), optionsOf(kwargs)),
  'lax.sort_key_val': ([k, v], kwargs) => ops.lax.sortKeyVal(k as Tensor, v as Tensor, optionsOf(kwargs)),
  'lax.dynamic_update_slice': ([x, u, s]) => ops.lax.dynamicUpdateSlice(x as Tensor, toApi(u) as Tensor, s as readonly number[]),
  'lax.reduce': ([x, init, f, axes]) => ops.lax.reduce(x as Tensor, toApi(init) as Tensor, f1(f) as () => Tensor, axes as readonly number[]),
  'lax.stop_gradient': ([x]) => core.stopGradient(toApi(x)),
  'jax.grad': transform('grad'),
  'jax.value_and_grad': transform('valueAndGrad'),
  'jax.jacfwd': transform('jacfwd'),
  'jax.jacrev': transform('jacrev'),
  'jax.hessian': transform('hessian'),
  'jax.vmap': vmap,
  'jax.jit': ([f]) => f,
  'jax.checkpoint': checkpoint,
  'jax.custom_jvp': customJvp,
  'jax.custom_vjp': customVjp,
  'jax.jvp': ([f, primals, tangents]) => anyCore['jvp']!(f1(f), toApi(primals), toApi(tangents)),
  'jax.vjp': ([f, ...primals], kwargs) => {
    if (kwargs['has_aux'] === true) throw missing('vjp with aux')
    return pullInexact(f1(f), primals.map(toApi))
  },
  'jax.linearize': ([f, ...primals]) => {
    const [y, push] = anyCore['linearize']!(f1(f), ...primals.map(toApi)) as readonly [unknown, unknown]
    return [y, lifted(f1(push))]
  },
  'jax.linear_transpose': ([f, ...primals]) => lifted(f1(anyCore['linearTranspose']!(f1(f), ...primals.map(toApi)))),
  'jax.tree.map': ([f, t, ...rest]) => tree.map(f1(f) as never, toApi(t) as never, ...(rest.map(toApi) as never[])),
  partial: ([f, ...bound], named) => new PyFunction((args, kwargs) => (f as PyFunction).call([...bound, ...args], { ...named, ...kwargs })),
  dict: ([d], kwargs) => ({ ...(isDict(d) ? d : {}), ...kwargs }),
  float: ([x]) => (x instanceof Tensor ? x.astype('float32') : new PyFloat(numberOf(x))),
  int: ([x]) => (x instanceof Tensor ? x.astype('int32') : Math.trunc(numberOf(x))),
  len: ([x]) => (x instanceof Tensor ? x.shape[0] : (x as readonly unknown[]).length),
  range: ([a, b]) => (b === undefined ? Array.from({ length: numberOf(a) }, (_, i) => i) : Array.from({ length: numberOf(b) - numberOf(a) }, (_, i) => i + numberOf(a))),
  abs: ([x]) => (x instanceof Tensor ? x.abs() : Math.abs(numberOf(x))),
  sum: ([xs]) => (xs as readonly Tensor[]).reduce((a, b) => a.add(b)),
}

const constants: Readonly<Record<string, unknown>> = {
  'np.inf': new PyFloat(Infinity),
  'np.nan': new PyFloat(Number.NaN),
  'np.pi': new PyFloat(Math.PI),
  'np.e': new PyFloat(Math.E),
  'np.newaxis': null,
}

const callSpace = (space: string, name: string, args: readonly unknown[], kwargs: Keywords): unknown => {
  const full = `${space}.${name}`
  const adapter = adapters[full]
  if (adapter !== undefined) return adapter(args, kwargs)
  const f = lookUp(space, name)
  return f(...arrange(full, args, kwargs))
}

const lookUp = (space: string, name: string): ((...args: readonly unknown[]) => unknown) => {
  const f: unknown = Reflect.get(spaces[space] ?? {}, renamed[`${space}.${name}`] ?? camel(name))
  if (isFunction(f)) return f
  throw missing(`${space}.${name}`)
}

const roots = ['np', 'lax', 'nn', 'random', 'jax', 'scipy', 'scipy.special', 'scipy.linalg', 'scipy.signal', 'np.linalg', 'np.fft', 'jax.ops', 'jax.tree', 'jax.image', 'jax.random', 'jax.lax', 'jax.nn', 'jax.numpy', 'jax.checkpoint_policies']
const aliases: Readonly<Record<string, string>> = { 'jax.random': 'random', 'jax.lax': 'lax', 'jax.nn': 'nn', 'jax.numpy': 'np' }

// A root is its own name; attributes of it are looked up here, with dots.
const rootOf = (name: string): string | undefined => aliases[name] ?? (roots.includes(name) ? name : undefined)

/** A name, or an attribute of a root by its dotted name; `at.*` methods get their tensor and index. */
export const library = (name: string, at?: readonly [Tensor, readonly IndexPart[]]): unknown => {
  if (at !== undefined) return atMethod(name.slice(3), at)
  const root = rootOf(name)
  if (root !== undefined) return root
  if (Object.hasOwn(constants, name)) return constants[name]
  if (Object.hasOwn(scalarTypes, name) && adapters[name] === undefined) return scalarTypes[name]
  if (name === 'int' || name === 'float' || name === 'bool') return name
  const split = name.lastIndexOf('.')
  if (split < 0) {
    const adapter = adapters[name]
    return adapter === undefined ? undefined : new PyFunction(adapter)
  }
  const [space, last] = [name.slice(0, split), name.slice(split + 1)]
  if (space === 'jax.checkpoint_policies') return policies[last]
  if (space === 'np' && isDType(last)) return last
  if (space === 'np' && last === 'bool_') return 'bool'
  const adapter = adapters[name]
  // Identity matters: lax.add must be our lax.add where a function is passed.
  if (adapter === undefined && space === 'lax' && ['add', 'max', 'min', 'mul'].includes(last)) {
    const f = lookUp(space, last)
    return f
  }
  if (adapter === undefined) lookUp(space, last)
  return ufunc(space === 'np' ? last : '', new PyFunction((args, kwargs) => callSpace(space, last, args, kwargs)))
}

// Integer arguments have no cotangent: they are held constant.
const pullInexact = (f: (...args: readonly unknown[]) => unknown, primals: readonly unknown[]): readonly [unknown, unknown] => {
  const isConstant = primals.map((x) => x instanceof Tensor && !core.isInexact(x.dtype))
  const g = (...free: readonly unknown[]): unknown => {
    const rest = [...free]
    return f(...primals.map((x, i) => (isConstant[i] ? x : rest.shift())))
  }
  const [y, pull] = anyCore['vjp']!(g, ...primals.filter((_, i) => !isConstant[i])) as readonly [unknown, unknown]
  return [y, lifted((ct) => {
    const rest = [...(f1(pull)(ct) as readonly unknown[])]
    return primals.map((_, i) => (isConstant[i] ? null : rest.shift()))
  })]
}

/** Calls a type or another name that is also a value: `int(x)`. */
export const callNamed = (name: string, args: readonly unknown[], kwargs: Keywords): unknown => {
  const adapter = adapters[name]
  if (adapter !== undefined) return adapter(args, kwargs)
  if (isDType(name)) return makeArray(args[0], { dtype: name })
  throw missing(`a call of ${name}`)
}

const asDTypeArgument = (value: unknown): DType => {
  if (typeof value === 'string') return scalarTypes[value] ?? asDType(value) ?? 'float32'
  throw missing('a dtype of this kind')
}

const methods: Readonly<Record<string, (x: Tensor, args: readonly unknown[], kwargs: Keywords) => unknown>> = {
  astype: (x, [dtype]) => x.astype(asDTypeArgument(dtype)),
  reshape: (x, shape) => reshape(x, shape),
  item: (x) => x.item(),
}

/** An attribute or method of a tensor. */
export const tensorAttribute = (x: Tensor, name: string): unknown => {
  if (name === 'T') return x.T
  if (name === 'shape') return x.shape
  if (name === 'size') return x.size
  if (name === 'ndim') return x.ndim
  if (name === 'dtype') return x.dtype
  const method = methods[name]
  if (method !== undefined) return new PyFunction((args, kwargs) => method(x, args, kwargs))
  return new PyFunction((args, kwargs) => callSpace('np', name, [x, ...args], kwargs))
}
