/** Runs the programs and puts what they give into words that can be sent anywhere. */
import type { Tensor } from 'cotangent'
import { type Mode, enter } from './modes.ts'
import { smokePrograms } from './programs.ts'

/** A tensor's type and elements, as text that tells all of them apart. */
export interface Values {
  readonly type: string
  readonly elements: readonly string[]
}

/** What every program gave, by mode and program. */
export type Report = Readonly<Record<string, Readonly<Record<string, readonly Values[]>>>>

const valuesOf = (x: Tensor): Values => ({
  type: `${x.dtype}[${x.shape.join(',')}]`,
  elements: Array.from(x.data(), (v) => (Object.is(v, -0) ? '-0' : String(v))),
})

/** Runs all programs, or those of the given names, in every mode. */
export const runSmoke = (
  modes: readonly Mode[],
  names: readonly string[] = Object.keys(smokePrograms),
): Report =>
  Object.fromEntries(
    modes.map((mode) => {
      const compile = enter(mode)
      return [
        mode.name,
        Object.fromEntries(
          names.map((name) => [name, smokePrograms[name]!(compile).map(valuesOf)]),
        ),
      ]
    }),
  )
