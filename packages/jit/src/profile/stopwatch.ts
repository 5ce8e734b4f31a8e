/** Where the time of a first call goes: stages of the compiler, while somebody measures. */

/** The stages, in the order in which they run. */
export const compileStages = [
  'trace',
  'optimise',
  'lower',
  'plan',
  'loop passes',
  'print',
  'compile',
  'link',
] as const

export type CompileStage = (typeof compileStages)[number]

/** Milliseconds in each stage, without those of stages inside it. */
export type StageTimes = ReadonlyMap<CompileStage, number>

interface Running {
  readonly times: Map<CompileStage, number>
  /** Milliseconds that stages within the current one have taken. */
  inner: number
}

let running: Running | null = null

/** Runs a stage. Its time is taken where `measureStages` is waiting for it. */
export const stage = <T>(name: CompileStage, use: () => T): T => {
  if (running === null) return use()
  const now = running
  const outside = now.inner
  now.inner = 0
  const start = performance.now()
  try {
    return use()
  } finally {
    const all = performance.now() - start
    now.times.set(name, (now.times.get(name) ?? 0) + all - now.inner)
    now.inner = outside + all
  }
}

/** Runs `use` and tells how long each stage of the compiler took in it. */
export const measureStages = <T>(use: () => T): readonly [T, StageTimes] => {
  const before = running
  const times = new Map<CompileStage, number>()
  running = { times, inner: 0 }
  try {
    return [use(), times]
  } finally {
    running = before
  }
}
