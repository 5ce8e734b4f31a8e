/** What a training run is given. */
import type { LabelledImage, TrainTest } from '@cotangent/data'
import type { Options } from './options.ts'
import type { Progress } from './progress.ts'

export interface Job {
  readonly options: Options
  readonly digits: TrainTest<LabelledImage>
  readonly progress: Progress
  /** Aborted by Ctrl-C: training stops after the step in progress. */
  readonly signal: AbortSignal
  /** A line for the user that is no progress. */
  readonly say: (text: string) => void
}
