/** What lowerings may know of the machine that code is generated for. */

export interface Machine {
  /**
   * Whether float32 arithmetic comes in vectors. Otherwise every number is computed as float64, and
   * skipping a multiplication is worth more than regular loops.
   */
  readonly vectors: boolean
}

const scalarMachine: Machine = { vectors: false }
let current: Machine = scalarMachine

/** The machine that is being compiled for. */
export const currentMachine = (): Machine => current

/** Runs `f`, in which lowerings are for `machine`. */
export const forMachine = <T>(machine: Machine, f: () => T): T => {
  const outer = current
  current = machine
  try {
    return f()
  } finally {
    current = outer
  }
}
