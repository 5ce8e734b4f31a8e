/** Equality of statements: node by node, names included, each pair of nodes once. */
import type { Index, Scalar, Stmt } from '@cotangent/core'

/** Whether two bodies are the same statements. */
export const sameBody = (a: readonly Stmt[], b: readonly Stmt[]): boolean => {
  /** What nodes of the first have been found equal to; they are compared again where shared otherwise. */
  const scalars = new Map<Scalar, Scalar>()
  const indices = new Map<Index, Index>()

  const index = (x: Index, y: Index): boolean => {
    if (x === y) return true
    switch (x.tag) {
      case 'constant':
        return y.tag === 'constant' && Object.is(x.value, y.value)
      case 'counter':
        return y.tag === 'counter' && x.name === y.name && x.extent === y.extent
      case 'affine':
        return (
          y.tag === 'affine' &&
          x.constant === y.constant &&
          x.terms.length === y.terms.length &&
          x.terms.every((t, n) => {
            const other = y.terms[n]!
            return t.coefficient === other.coefficient && index(t.term, other.term)
          })
        )
      case 'floorDivide':
      case 'modulo': {
        if (indices.get(x) === y) return true
        const same = y.tag === x.tag && x.by === y.by && index(x.value, y.value)
        if (same) indices.set(x, y)
        return same
      }
      case 'data':
        return y.tag === 'data' && x.low === y.low && x.high === y.high && scalar(x.value, y.value)
      default:
        return x satisfies never
    }
  }

  const operands = (x: Scalar, y: Scalar): boolean => {
    switch (x.tag) {
      case 'literal':
        return y.tag === 'literal' && Object.is(x.value, y.value)
      case 'local':
        return y.tag === 'local' && x.name === y.name
      case 'load':
        return y.tag === 'load' && x.buffer === y.buffer && index(x.at, y.at)
      case 'unary':
      case 'across':
        return y.tag === x.tag && x.op === y.op && scalar(x.x, y.x)
      case 'convert':
      case 'bitcast':
        return y.tag === x.tag && scalar(x.x, y.x)
      case 'binary':
      case 'compare':
        return y.tag === x.tag && x.op === y.op && scalar(x.x, y.x) && scalar(x.y, y.y)
      case 'select':
        return (
          y.tag === 'select' &&
          scalar(x.condition, y.condition) &&
          scalar(x.onTrue, y.onTrue) &&
          scalar(x.onFalse, y.onFalse)
        )
      case 'guard':
        return (
          y.tag === 'guard' &&
          scalar(x.condition, y.condition) &&
          scalar(x.value, y.value) &&
          scalar(x.otherwise, y.otherwise)
        )
      case 'within':
        return y.tag === 'within' && x.low === y.low && x.high === y.high && index(x.value, y.value)
      case 'fromIndex':
        return y.tag === 'fromIndex' && index(x.value, y.value)
      default:
        return x satisfies never
    }
  }
  const scalar = (x: Scalar, y: Scalar): boolean => {
    if (x === y || scalars.get(x) === y) return true
    const same = x.dtype === y.dtype && operands(x, y)
    if (same) scalars.set(x, y)
    return same
  }

  const statement = (x: Stmt, y: Stmt): boolean => {
    switch (x.tag) {
      case 'comment':
        return y.tag === 'comment' && x.text === y.text
      case 'for':
        return (
          y.tag === 'for' &&
          x.counter === y.counter &&
          x.extent === y.extent &&
          x.step === y.step &&
          x.reverse === y.reverse &&
          x.parallel === y.parallel &&
          x.lanes === y.lanes &&
          body(x.body, y.body)
        )
      case 'while':
        return y.tag === 'while' && scalar(x.condition, y.condition) && body(x.body, y.body)
      case 'if':
        return (
          y.tag === 'if' &&
          scalar(x.condition, y.condition) &&
          body(x.then, y.then) &&
          body(x.otherwise, y.otherwise)
        )
      case 'variable':
        return (
          y.tag === 'variable' &&
          x.name === y.name &&
          x.lanes === y.lanes &&
          scalar(x.value, y.value)
        )
      case 'let':
      case 'assign':
        return y.tag === x.tag && x.name === y.name && scalar(x.value, y.value)
      case 'store':
        return (
          y.tag === 'store' &&
          x.buffer === y.buffer &&
          index(x.at, y.at) &&
          scalar(x.value, y.value)
        )
      default:
        return x satisfies never
    }
  }
  const body = (x: readonly Stmt[], y: readonly Stmt[]): boolean =>
    x === y || (x.length === y.length && x.every((s, n) => statement(s, y[n]!)))
  return body(a, b)
}
