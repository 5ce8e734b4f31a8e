/** Where a run happened. */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { type Roofs, measuredRoofs } from '@cotangent/jit'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly node: string
  readonly v8: string
  readonly platform: string
  /** Processes running or waiting, over the last minute, when the run began. */
  readonly load: number
  /** What one core can do in WebAssembly, measured; not in runs of early versions. */
  readonly roofs?: Roofs
}

export const thisMachine = (): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  node: process.version,
  v8: process.versions.v8,
  platform: `${process.platform} ${process.arch}`,
  load: loadavg()[0] ?? 0,
  roofs: measuredRoofs(),
})

const giga = (value: number): string => `${(value / 1e9).toFixed(0)} G`

const describeRoofs = ({ flopsPerSecond, memory }: Roofs): string =>
  `Roofs of one core, measured: ${giga(flopsPerSecond)}FLOP/s with 128-bit multiplications and additions; ${memory
    .map(({ bytesPerSecond }) => giga(bytesPerSecond))
    .join(', ')}B/s in the first cache, in the second, beyond.`

/** For people: a line on the machine, one on its roofs, one on what can be made of the figures. */
export const describeMachine = (machine: Machine): readonly string[] => {
  const { cpu, cores, node, v8, platform, load, roofs } = machine
  const busy =
    load > 0.5 ? ` The load was ${load.toFixed(1)} at the start: other programs were running.` : ''
  return [
    `${cpu}, ${cores} cores · ${platform} · node ${node}, V8 ${v8}`,
    ...(roofs === undefined ? [] : [describeRoofs(roofs)]),
    `Medians of turns taken in alternating order; trust ratios more than times.${busy}`,
  ]
}
