/** Samplers with parameters: by position or by name, numbers or tensors that broadcast. */
import { type DType, DTypeError, type Shape, Tensor } from '@cotangent/core'
import { requireKey } from './key.ts'
import {
  type SampleOptions,
  type ShapeOr,
  floatOption,
  resolveOptions,
  sampleShape,
} from './options.ts'
import { parameter } from './uniform.ts'

export type Parameter = number | Tensor

export type NamedParameters<Names extends string> = { readonly [N in Names]?: Parameter }

/**
 * `sampler(key, ...parameters, options)` or `sampler(key, { parameter, …, shape, dtype })`. The
 * shape defaults to that of the parameters broadcast together.
 */
export type Distribution<Names extends string> = (
  key: Tensor,
  ...args: readonly (Parameter | ShapeOr<SampleOptions & NamedParameters<Names>>)[]
) => Tensor

/** A draw from broadcast parameters, all of one float dtype and the sample's shape. */
export type Draw = (
  key: Tensor,
  parameters: readonly Tensor[],
  shape: Shape,
  dtype: DType,
) => Tensor

const isParameter = (value: unknown): value is Parameter =>
  typeof value === 'number' || value instanceof Tensor

const missing = (operation: string, name: string): DTypeError =>
  new DTypeError({
    operation,
    problem: `the parameter ${name} is missing`,
    want: 'a number or a tensor',
    fix: `give it by position after the key, or as { ${name}: … }`,
  })

/** Resolves parameters and options. `defaults` holds null for a parameter that must be given. */
export const distribution =
  <const Names extends string>(
    name: string,
    defaults: { readonly [N in Names]: number | null },
    draw: Draw,
    float: (name: string, dtype: DType | undefined) => DType = floatOption,
  ): Distribution<Names> =>
  (key, ...args) => {
    requireKey(name, key)
    const end = args.findIndex((a) => !isParameter(a))
    const positional = args.slice(0, end < 0 ? args.length : end).filter(isParameter)
    const [first, more] = end < 0 ? [] : args.slice(end)
    if (isParameter(first) || isParameter(more) || Array.isArray(more)) throw misplaced(name)
    const [given, options] = resolveOptions(name, first, isOptions(more) ? more : undefined)
    const named: { readonly [name: string]: unknown } = { ...options }
    const values = Object.entries<number | null>(defaults).map(([parameterName, fallback], i) => {
      const value = positional[i] ?? named[parameterName] ?? fallback
      if (isParameter(value)) return value
      throw missing(name, parameterName)
    })
    const dtype = float(name, options?.dtype)
    const shape = sampleShape(name, given, values)
    return draw(
      key,
      values.map((v) => parameter(name, v, shape, dtype)),
      shape,
      options?.dtype ?? dtype,
    )
  }

const isOptions = <O extends object>(value: ShapeOr<O> | undefined): value is O =>
  value !== undefined && !Array.isArray(value)

const misplaced = (operation: string): DTypeError =>
  new DTypeError({
    operation,
    problem: 'parameters come before the shape and the options',
    fix: 'write (key, ...parameters, { shape }), or name the parameters in the options',
  })
