/** All themes, in the order they run. */
import type { Theme } from '../benchmark.ts'
import { convolution } from './convolution.ts'
import { matmul } from './matmul.ts'
import { normalisation } from './normalisation.ts'
import { overhead } from './overhead.ts'
import { pooling } from './pooling.ts'
import { recurrent } from './recurrent.ts'
import { trainingStep } from './trainingStep.ts'

export const themes: readonly Theme[] = [
  convolution,
  matmul,
  pooling,
  normalisation,
  recurrent,
  trainingStep,
  overhead,
]
