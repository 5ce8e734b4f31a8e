/** Syntax trees of the subset of Python. */
export type Expr =
  | { readonly kind: 'name'; readonly id: string }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'complex'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'constant'; readonly value: null | boolean }
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'list'; readonly items: readonly Expr[] }
  | { readonly kind: 'dict'; readonly entries: readonly (readonly [Expr, Expr])[] }
  | { readonly kind: 'unary'; readonly operator: string; readonly x: Expr }
  | { readonly kind: 'binary'; readonly operator: string; readonly x: Expr; readonly y: Expr }
  | { readonly kind: 'conditional'; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly kind: 'attribute'; readonly x: Expr; readonly name: string }
  | { readonly kind: 'call'; readonly f: Expr; readonly args: readonly Argument[] }
  | { readonly kind: 'subscript'; readonly x: Expr; readonly index: Expr }
  | { readonly kind: 'slice'; readonly start: Expr | null; readonly stop: Expr | null; readonly step: Expr | null }
  | { readonly kind: 'lambda'; readonly parameters: readonly Parameter[]; readonly body: Expr }
  | { readonly kind: 'comprehension'; readonly item: Expr; readonly target: Target; readonly over: Expr; readonly test: Expr | null }

export interface Argument {
  /** A keyword, `*` or `**` for unpacking, or null. */
  readonly name: string | null
  readonly value: Expr
}

export interface Parameter {
  readonly name: string
  readonly fallback: Expr | null
}

export type Target =
  | { readonly kind: 'name'; readonly id: string }
  | { readonly kind: 'tuple'; readonly items: readonly Target[] }

export type Statement =
  | { readonly kind: 'return'; readonly value: Expr | null }
  | { readonly kind: 'assign'; readonly target: Target; readonly value: Expr }
  | { readonly kind: 'expression'; readonly value: Expr }
  | { readonly kind: 'def'; readonly name: string; readonly parameters: readonly Parameter[]; readonly body: readonly Statement[]; readonly decorators: readonly Expr[] }
  | { readonly kind: 'if'; readonly test: Expr; readonly yes: readonly Statement[]; readonly no: readonly Statement[] }
  | { readonly kind: 'for'; readonly target: Target; readonly over: Expr; readonly body: readonly Statement[] }
  | { readonly kind: 'pass' }
