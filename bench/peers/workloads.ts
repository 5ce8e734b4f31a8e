/** All workloads, in the order of the tables. */
import { convolutions } from './cases/convolution.ts'
import { denseBlockStep } from './cases/denseBlock.ts'
import { elementwise } from './cases/elementwise.ts'
import { inceptionStep } from './cases/inception.ts'
import { matmuls } from './cases/matmul.ts'
import { micro } from './cases/micro.ts'
import { trainingSteps } from './cases/models.ts'
import { normalisations } from './cases/normalisation.ts'
import { poolings } from './cases/pooling.ts'
import { processes } from './cases/process.ts'
import { recurrents } from './cases/recurrent.ts'
import { resnet20 } from './cases/resnet20.ts'
import { startup } from './cases/startup.ts'
import { transformerStep } from './cases/transformer.ts'
import type { Group, Workload } from './workload.ts'

export const workloads: readonly Workload[] = [
  ...matmuls,
  ...convolutions,
  ...poolings,
  ...normalisations,
  ...recurrents,
  ...trainingSteps,
  resnet20,
  transformerStep,
  inceptionStep,
  denseBlockStep,
  ...elementwise,
  ...micro,
  ...processes,
  startup,
]

export const groups: readonly Group[] = [...new Set(workloads.map(({ group }) => group))]

/** The workloads by their ids. */
export const workloadOf: ReadonlyMap<string, Workload> = new Map(workloads.map((w) => [w.id, w]))
