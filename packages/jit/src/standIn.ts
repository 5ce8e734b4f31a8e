/** What runs instead of a WebAssembly module while that is compiled in the background. */
import type { TypedArray } from '@cotangent/core'

type RawRun = (inputs: readonly TypedArray[]) => readonly TypedArray[]

/**
 * Runs the same program in another way, made when it is first needed and dropped with its memory when
 * the module is there. Its results share no memory with its inputs or with each other.
 */
export const standIn = (
  module: { readonly ready: () => Promise<void> },
  make: () => RawRun,
): RawRun => {
  let run: RawRun | null = null
  const drop = (): void => {
    run = null
  }
  return (inputs) => {
    if (run === null) {
      run = make()
      module.ready().then(drop, drop)
    }
    return run(inputs).map((data) => data.slice())
  }
}
