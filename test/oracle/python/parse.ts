/** Parses formulas and small programs. */
import type { Argument, Expr, Parameter, Statement, Target } from './syntax.ts'
import { type Token, tokenize } from './tokens.ts'

const binaryPower: Readonly<Record<string, number>> = {
  or: 1, and: 2, in: 4, is: 4, '<': 4, '>': 4, '<=': 4, '>=': 4, '==': 4, '!=': 4,
  '|': 5, '^': 6, '&': 7, '+': 9, '-': 9, '*': 10, '/': 10, '//': 10, '%': 10, '@': 10, '**': 12,
}
const unaryPower = 11
const notPower = 3

export class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(source: string) {
    this.#tokens = tokenize(source)
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? { kind: 'end' }
  }

  #next(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead)
    return (token.kind === 'operator' || token.kind === 'name') && token.text === text
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new SyntaxError(`expected ${text}, got ${JSON.stringify(this.#peek())}`)
  }

  #name(): string {
    const token = this.#next()
    if (token.kind !== 'name') throw new SyntaxError(`expected a name, got ${JSON.stringify(token)}`)
    return token.text
  }

  /** A lone expression, tuples without brackets included. */
  expression(): Expr {
    const value = this.#tuple()
    if (this.#peek().kind === 'newline') this.#next()
    if (this.#peek().kind !== 'end') throw new SyntaxError(`unexpected ${JSON.stringify(this.#peek())}`)
    return value
  }

  program(): readonly Statement[] {
    const statements: Statement[] = []
    while (this.#peek().kind !== 'end') statements.push(...this.#statement())
    return statements
  }

  #block(): readonly Statement[] {
    this.#expect(':')
    if (this.#peek().kind !== 'newline') return this.#simpleLine()
    this.#next()
    this.#next()
    const statements: Statement[] = []
    while (this.#peek().kind !== 'dedent' && this.#peek().kind !== 'end') statements.push(...this.#statement())
    if (this.#peek().kind === 'dedent') this.#next()
    return statements
  }

  #statement(): readonly Statement[] {
    if (this.#is('@') || this.#is('def')) return [this.#definition()]
    if (this.#take('if')) return [this.#if()]
    if (this.#take('for')) {
      const target = this.#target()
      this.#expect('in')
      const over = this.#tuple()
      return [{ kind: 'for', target, over, body: this.#block() }]
    }
    return this.#simpleLine()
  }

  #if(): Statement {
    const test = this.#binary(0)
    const yes = this.#block()
    if (this.#take('elif')) return { kind: 'if', test, yes, no: [this.#if()] }
    const no = this.#take('else') ? this.#block() : []
    return { kind: 'if', test, yes, no }
  }

  #definition(): Statement {
    const decorators: Expr[] = []
    while (this.#take('@')) {
      decorators.push(this.#binary(0))
      this.#next()
    }
    this.#expect('def')
    const name = this.#name()
    this.#expect('(')
    const parameters = this.#parameters(')')
    this.#expect(')')
    return { kind: 'def', name, parameters, body: this.#block(), decorators }
  }

  #simpleLine(): readonly Statement[] {
    const statements = [this.#simple()]
    while (this.#take(';')) statements.push(this.#simple())
    if (this.#peek().kind === 'newline') this.#next()
    return statements
  }

  #simple(): Statement {
    if (this.#is('import') || this.#is('from')) {
      while (this.#peek().kind !== 'newline' && !this.#is(';')) this.#next()
      return { kind: 'pass' }
    }
    if (this.#take('pass')) return { kind: 'pass' }
    if (this.#take('return')) {
      const done = this.#peek().kind === 'newline' || this.#is(';')
      return { kind: 'return', value: done ? null : this.#tuple() }
    }
    const value = this.#tuple()
    if (!this.#take('=')) return { kind: 'expression', value }
    return { kind: 'assign', target: asTarget(value), value: this.#tuple() }
  }

  #target(): Target {
    const first = this.#postfix()
    const items = [first]
    while (this.#take(',')) items.push(this.#postfix())
    return items.length === 1 ? asTarget(first) : { kind: 'tuple', items: items.map(asTarget) }
  }

  #parameters(end: string): readonly Parameter[] {
    const parameters: Parameter[] = []
    while (!this.#is(end)) {
      const name = this.#name()
      parameters.push({ name, fallback: this.#take('=') ? this.#test() : null })
      if (!this.#take(',')) break
    }
    return parameters
  }

  #tuple(): Expr {
    const first = this.#test()
    if (!this.#is(',')) return first
    const items = [first]
    while (this.#take(',')) {
      const token = this.#peek()
      if (token.kind === 'newline' || token.kind === 'end' || this.#is(')') || this.#is(']') || this.#is('=')) break
      items.push(this.#test())
    }
    return { kind: 'list', items }
  }

  #test(): Expr {
    if (this.#take('lambda')) {
      const parameters = this.#parameters(':')
      this.#expect(':')
      return { kind: 'lambda', parameters, body: this.#test() }
    }
    const value = this.#binary(0)
    if (!this.#take('if')) return value
    const test = this.#binary(0)
    this.#expect('else')
    return { kind: 'conditional', test, yes: value, no: this.#test() }
  }

  #operator(): string | null {
    const token = this.#peek()
    if (token.kind === 'operator' && Object.hasOwn(binaryPower, token.text)) return token.text
    if (token.kind === 'name' && ['or', 'and', 'is', 'in'].includes(token.text)) return token.text
    return null
  }

  #binary(least: number): Expr {
    let x = this.#unary()
    for (let operator = this.#operator(); operator !== null; operator = this.#operator()) {
      const power = binaryPower[operator]!
      if (power <= least) break
      this.#next()
      const isNot = operator === 'is' && this.#take('not')
      const y = this.#binary(operator === '**' ? power - 1 : power)
      x = { kind: 'binary', operator: isNot ? 'is not' : operator, x, y }
    }
    return x
  }

  #unary(): Expr {
    for (const operator of ['-', '+', '~']) {
      if (this.#take(operator)) return { kind: 'unary', operator, x: this.#binary(unaryPower) }
    }
    if (this.#take('not')) return { kind: 'unary', operator: 'not', x: this.#binary(notPower) }
    return this.#postfix()
  }

  #postfix(): Expr {
    let x = this.#atom()
    for (;;) {
      if (this.#take('.')) x = { kind: 'attribute', x, name: this.#name() }
      else if (this.#take('(')) x = { kind: 'call', f: x, args: this.#arguments() }
      else if (this.#take('[')) {
        x = { kind: 'subscript', x, index: this.#index() }
        this.#expect(']')
      } else return x
    }
  }

  #arguments(): readonly Argument[] {
    const args: Argument[] = []
    while (!this.#is(')')) {
      if (this.#take('**')) args.push({ name: '**', value: this.#test() })
      else if (this.#take('*')) args.push({ name: '*', value: this.#test() })
      else if (this.#peek().kind === 'name' && this.#is('=', 1)) {
        const name = this.#name()
        this.#expect('=')
        args.push({ name, value: this.#test() })
      } else args.push({ name: null, value: this.#test() })
      if (!this.#take(',')) break
    }
    this.#expect(')')
    return args
  }

  #index(): Expr {
    const items = [this.#slice()]
    let isTuple = false
    while (this.#take(',')) {
      isTuple = true
      if (this.#is(']')) break
      items.push(this.#slice())
    }
    return isTuple ? { kind: 'list', items } : items[0]!
  }

  #slice(): Expr {
    const part = (): Expr | null => (this.#is(':') || this.#is(',') || this.#is(']') ? null : this.#test())
    const start = part()
    if (!this.#take(':')) return start!
    const stop = part()
    const step = this.#take(':') ? part() : null
    return { kind: 'slice', start, stop, step }
  }

  #atom(): Expr {
    const token = this.#next()
    if (token.kind === 'number') return { kind: token.type, value: token.value }
    if (token.kind === 'string') return { kind: 'string', value: token.text }
    if (token.kind === 'name') return nameOrConstant(token.text)
    if (token.kind !== 'operator') throw new SyntaxError(`unexpected ${token.kind}`)
    if (token.text === '...') return { kind: 'ellipsis' }
    if (token.text === '(') return this.#bracketed(')')
    if (token.text === '[') return this.#bracketed(']')
    if (token.text === '{') return this.#dict()
    throw new SyntaxError(`unexpected ${token.text}`)
  }

  #bracketed(end: string): Expr {
    if (this.#take(end)) return { kind: 'list', items: [] }
    const first = this.#test()
    if (this.#take('for')) {
      const target = this.#target()
      this.#expect('in')
      const over = this.#binary(0)
      const test = this.#take('if') ? this.#binary(0) : null
      this.#expect(end)
      return { kind: 'comprehension', item: first, target, over, test }
    }
    if (end === ')' && this.#take(')')) return first
    const items = [first]
    while (this.#take(',')) {
      if (this.#is(end)) break
      items.push(this.#test())
    }
    this.#expect(end)
    return { kind: 'list', items }
  }

  #dict(): Expr {
    const entries: (readonly [Expr, Expr])[] = []
    while (!this.#is('}')) {
      const key = this.#test()
      this.#expect(':')
      entries.push([key, this.#test()])
      if (!this.#take(',')) break
    }
    this.#expect('}')
    return { kind: 'dict', entries }
  }
}

const nameOrConstant = (text: string): Expr => {
  if (text === 'None') return { kind: 'constant', value: null }
  if (text === 'True' || text === 'False') return { kind: 'constant', value: text === 'True' }
  return { kind: 'name', id: text }
}

const asTarget = (value: Expr): Target => {
  if (value.kind === 'name') return value
  if (value.kind === 'list') return { kind: 'tuple', items: value.items.map(asTarget) }
  throw new SyntaxError('not a target of assignment')
}
