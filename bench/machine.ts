/** Where a run happened. */
import { availableParallelism, cpus, loadavg } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly node: string
  readonly v8: string
  readonly platform: string
  /** Processes running or waiting, over the last minute, when the run began. */
  readonly load: number
}

export const thisMachine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  node: process.version,
  v8: process.versions.v8,
  platform: `${process.platform} ${process.arch}`,
  load: loadavg()[0] ?? 0,
})

/** For people: one line on the machine, one on what can be made of the figures. */
export const describeMachine = (machine: Machine): readonly string[] => {
  const { cpu, cores, node, v8, platform, load } = machine
  const busy =
    load > 0.5 ? ` The load was ${load.toFixed(1)} at the start: other programs were running.` : ''
  return [
    `${cpu}, ${cores} cores · ${platform} · node ${node}, V8 ${v8}`,
    `Medians of turns taken in alternating order; trust ratios more than times.${busy}`,
  ]
}
