/** Runs formulas on our functions. */
import { type IndexPart, Tensor } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { callNamed, library, tensorAttribute } from './library.ts'
import { Parser } from './parse.ts'
import type { Argument, Expr, Parameter, Statement, Target } from './syntax.ts'
import { type Keywords, PyFloat, PyFunction, PySlice, ellipsis, isDict, isFunction, missing, numberOf, toApi } from './values.ts'

class Scope {
  readonly #names = new Map<string, unknown>()
  readonly #parent: Scope | null
  constructor(parent: Scope | null) {
    this.#parent = parent
  }
  get(name: string): unknown {
    if (this.#names.has(name)) return this.#names.get(name)
    if (this.#parent !== null) return this.#parent.get(name)
    const found = library(name) ?? library(`np.${name}`)
    if (found === undefined) throw missing(`the name ${name}`)
    return found
  }
  set(name: string, value: unknown): void {
    this.#names.set(name, value)
  }
}

const isPython = (v: unknown): v is number | boolean | PyFloat => typeof v === 'number' || typeof v === 'boolean' || v instanceof PyFloat

const numeric: Readonly<Record<string, (x: number, y: number) => number | boolean>> = {
  '+': (x, y) => x + y, '-': (x, y) => x - y, '*': (x, y) => x * y, '/': (x, y) => x / y,
  '//': (x, y) => Math.floor(x / y), '%': (x, y) => x - y * Math.floor(x / y), '**': (x, y) => x ** y,
  '<': (x, y) => x < y, '>': (x, y) => x > y, '<=': (x, y) => x <= y, '>=': (x, y) => x >= y,
  '==': (x, y) => x === y, '!=': (x, y) => x !== y,
}

const pythonBinary = (operator: string, x: number | boolean | PyFloat, y: number | boolean | PyFloat): unknown => {
  const f = numeric[operator]
  if (f === undefined) throw missing(`${operator} of numbers`)
  const value = f(numberOf(x), numberOf(y))
  if (typeof value === 'boolean') return value
  const isFloat = x instanceof PyFloat || y instanceof PyFloat || operator === '/' || !Number.isInteger(value)
  return isFloat ? new PyFloat(value) : value
}

const tensorFunctions: Readonly<Record<string, string>> = {
  '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'divide', '//': 'floorDivide', '%': 'remainder', '**': 'power',
  '@': 'matmul', '<': 'less', '>': 'greater', '<=': 'lessEqual', '>=': 'greaterEqual', '==': 'equal', '!=': 'notEqual',
  '&': 'bitwiseAnd', '|': 'bitwiseOr', '^': 'bitwiseXor',
}

const apply = (operator: string, x: unknown, y: unknown): unknown => {
  if (operator === 'is') return x === y
  if (operator === 'is not') return x !== y
  if (Array.isArray(x) && typeof y === 'number' && operator === '*') return Array.from({ length: y }, () => x).flat()
  if (Array.isArray(x) && Array.isArray(y) && operator === '+') return [...x, ...y]
  if (typeof x === 'string' && operator === '==') return x === y
  if (isPython(x) && isPython(y)) return pythonBinary(operator, x, y)
  const f: unknown = Reflect.get(np, tensorFunctions[operator] ?? '')
  if (!isFunction(f)) throw missing(`the operator ${operator}`)
  return f(toApi(x), toApi(y))
}

const truth = (value: unknown): boolean => {
  if (value instanceof Tensor) return value.item() !== 0
  return value instanceof PyFloat ? value.value !== 0 : Boolean(value)
}

/** Parts of an index, as `x.at` takes them. */
export const indexParts = (index: unknown): readonly IndexPart[] => {
  const list = Array.isArray(index) && index.some((i) => typeof i !== 'number' && typeof i !== 'boolean' && !Array.isArray(i)) ? index : Array.isArray(index) ? index : [index]
  return list.map((part): IndexPart => {
    if (part === ellipsis) return '...'
    if (part === null || typeof part === 'number' || typeof part === 'boolean' || part instanceof Tensor) return part
    if (part instanceof PySlice) return { start: part.start, stop: part.stop, step: part.step }
    if (Array.isArray(part)) return part.map(Number)
    throw missing(`an index ${String(part)}`)
  })
}

const pythonSlice = (list: readonly unknown[], { start, stop, step }: PySlice): readonly unknown[] => {
  if (step !== null && step !== 1) throw missing('a stepped slice of a list')
  return list.slice(start ?? 0, stop ?? list.length)
}

const subscript = (x: unknown, index: unknown): unknown => {
  if (x instanceof Tensor) return x.at(...indexParts(index))
  if (x instanceof AtProxy) return new AtIndex(x.x, indexParts(index))
  if (Array.isArray(x)) return index instanceof PySlice ? pythonSlice(x, index) : x.at(numberOf(index))
  if (isDict(x) && typeof index === 'string') return x[index]
  throw missing(`a subscript of ${String(x)}`)
}

class AtProxy {
  readonly x: Tensor
  constructor(x: Tensor) {
    this.x = x
  }
}

class AtIndex {
  readonly x: Tensor
  readonly parts: readonly IndexPart[]
  constructor(x: Tensor, parts: readonly IndexPart[]) {
    this.x = x
    this.parts = parts
  }
}

const attribute = (x: unknown, name: string): unknown => {
  if (x instanceof AtIndex) return library(`at.${name}`, [x.x, x.parts])
  if (x instanceof Tensor) return name === 'at' ? new AtProxy(x) : tensorAttribute(x, name)
  if (x instanceof PyFunction) return x.attributes[name]
  if (typeof x === 'string') return library(`${x}.${name}`)
  if (isDict(x)) return x[name]
  throw missing(`the attribute ${name}`)
}

const callee = (f: unknown): PyFunction => {
  if (f instanceof PyFunction) return f
  if (typeof f === 'string') return new PyFunction((args, kwargs) => callNamed(f, args, kwargs))
  if (isFunction(f)) return new PyFunction((args, kwargs) => f(...args.map(toApi), ...(Object.keys(kwargs).length === 0 ? [] : [kwargs])))
  throw missing('a call of something that is no function')
}

const evaluate = (e: Expr, scope: Scope): unknown => {
  switch (e.kind) {
    case 'name':
      return scope.get(e.id)
    case 'int':
    case 'string':
    case 'constant':
      return e.value
    case 'float':
      return new PyFloat(e.value)
    case 'complex':
      throw missing('complex numbers')
    case 'ellipsis':
      return ellipsis
    case 'list':
      return e.items.map((item) => evaluate(item, scope))
    case 'dict':
      return Object.fromEntries(e.entries.map(([k, v]) => [String(evaluate(k, scope)), evaluate(v, scope)]))
    case 'unary':
      return unary(e.operator, evaluate(e.x, scope))
    case 'binary':
      return binary(e.operator, e.x, e.y, scope)
    case 'conditional':
      return evaluate(truth(evaluate(e.test, scope)) ? e.yes : e.no, scope)
    case 'attribute':
      return attribute(evaluate(e.x, scope), e.name)
    case 'call':
      return call(evaluate(e.f, scope), e.args, scope)
    case 'subscript':
      return subscript(evaluate(e.x, scope), evaluate(e.index, scope))
    case 'slice': {
      const part = (p: Expr | null): number | null => {
        const value = p === null ? null : evaluate(p, scope)
        return value === null ? null : numberOf(value)
      }
      return new PySlice(part(e.start), part(e.stop), part(e.step))
    }
    case 'lambda':
      return closure(e.parameters, scope, (inner) => evaluate(e.body, inner))
    case 'comprehension':
      return [...iterate(evaluate(e.over, scope))].flatMap((item) => {
        const inner = new Scope(scope)
        assign(e.target, item, inner)
        return e.test === null || truth(evaluate(e.test, inner)) ? [evaluate(e.item, inner)] : []
      })
    default:
      return e satisfies never
  }
}

const iterate = (value: unknown): Iterable<unknown> => {
  if (Array.isArray(value) || value instanceof Tensor) return value
  throw missing('iteration')
}

const unary = (operator: string, x: unknown): unknown => {
  if (operator === 'not') return !truth(x)
  if (operator === '~') return np.invert(toApi(x) as Tensor)
  if (operator === '+') return x
  if (x instanceof PyFloat) return new PyFloat(-x.value)
  return typeof x === 'number' ? -x : np.negative(toApi(x) as Tensor)
}

const binary = (operator: string, x: Expr, y: Expr, scope: Scope): unknown => {
  if (operator === 'and') {
    const left = evaluate(x, scope)
    return truth(left) ? evaluate(y, scope) : left
  }
  if (operator === 'or') {
    const left = evaluate(x, scope)
    return truth(left) ? left : evaluate(y, scope)
  }
  return apply(operator, evaluate(x, scope), evaluate(y, scope))
}

const call = (f: unknown, args: readonly Argument[], scope: Scope): unknown => {
  const positional: unknown[] = []
  const kwargs: Record<string, unknown> = {}
  for (const { name, value } of args) {
    const given = evaluate(value, scope)
    if (name === null) positional.push(given)
    else if (name === '*') positional.push(...iterate(given))
    else if (name === '**') Object.assign(kwargs, given)
    else kwargs[name] = given
  }
  return callee(f).call(positional, kwargs)
}

const closure = (parameters: readonly Parameter[], scope: Scope, body: (inner: Scope) => unknown): PyFunction =>
  new PyFunction((args, kwargs) => {
    const inner = new Scope(scope)
    parameters.forEach(({ name, fallback }, i) => {
      if (i < args.length) inner.set(name, args[i])
      else if (Object.hasOwn(kwargs, name)) inner.set(name, kwargs[name])
      else if (fallback !== null) inner.set(name, evaluate(fallback, scope))
      else throw new TypeError(`missing argument ${name}`)
    })
    return body(inner)
  })

const assign = (target: Target, value: unknown, scope: Scope): void => {
  if (target.kind === 'name') {
    scope.set(target.id, value)
    return
  }
  const values = [...iterate(value)]
  target.items.forEach((item, i) => assign(item, values[i], scope))
}

// A returned value, in a box so that `return None` differs from falling through.
const execute = (statements: readonly Statement[], scope: Scope): { readonly value: unknown } | null => {
  for (const s of statements) {
    if (s.kind === 'return') return { value: s.value === null ? null : evaluate(s.value, scope) }
    if (s.kind === 'assign') assign(s.target, evaluate(s.value, scope), scope)
    else if (s.kind === 'expression') evaluate(s.value, scope)
    else if (s.kind === 'def') define(s, scope)
    else if (s.kind === 'if') {
      const done = execute(truth(evaluate(s.test, scope)) ? s.yes : s.no, scope)
      if (done !== null) return done
    } else if (s.kind === 'for') {
      for (const item of iterate(evaluate(s.over, scope))) {
        assign(s.target, item, scope)
        const done = execute(s.body, scope)
        if (done !== null) return done
      }
    }
  }
  return null
}

const define = (s: Extract<Statement, { kind: 'def' }>, scope: Scope): void => {
  const f = closure(s.parameters, scope, (inner) => execute(s.body, inner)?.value ?? null)
  const decorated = [...s.decorators].reverse().reduce<unknown>((g, decorator) => callee(evaluate(decorator, scope)).call([g], {}), f)
  scope.set(s.name, decorated)
}

/**
 * A formula as a function of its inputs: a lambda, a program that defines `f`, or an expression with
 * the inputs as free names.
 */
export const compileFormula = (source: string, names: readonly string[]): PyFunction => {
  const scope = new Scope(null)
  if (/^\s*(import|from|def|@)/m.test(source)) {
    execute(new Parser(source).program(), scope)
    return callee(scope.get('f'))
  }
  const expression = new Parser(source).expression()
  if (expression.kind === 'lambda') return callee(evaluate(expression, scope))
  return closure(names.map((name) => ({ name, fallback: null })), scope, (inner) => evaluate(expression, inner))
}

/** Calls a function by its dotted name. */
export const callByName = (name: string, args: readonly unknown[], kwargs: Keywords): unknown => {
  const [root, ...path] = name.split('.')
  const f = path.reduce<unknown>((x, part) => attribute(x, part), library(root!))
  return callee(f).call(args, kwargs)
}
