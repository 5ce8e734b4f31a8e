/** What a report is made from: numbers, typed arrays and strings, and nothing of the library. */

/** One text beside its name, in the order in which they should be read. */
export type NamedText = readonly [name: string, text: string]

/** The figures at the top. What was not measured is left out. */
export interface Summary {
  /** A fraction, 0 to 1. */
  readonly testAccuracy?: number | undefined
  readonly testExamples?: number | undefined
  readonly testLoss?: number | undefined
  /** Time in the training loop. */
  readonly trainSeconds?: number | undefined
  readonly examplesPerSecond?: number | undefined
  /** Time to trace and compile the training step. */
  readonly compileSeconds?: number | undefined
  /** One training step, compiled and operation by operation: the two make the ratio. */
  readonly compiledStepSeconds?: number | undefined
  readonly interpretedStepSeconds?: number | undefined
  /** Learned numbers. */
  readonly parameters?: number | undefined
}

/** Loss and accuracy (a fraction) of each training batch: entry `i` belongs to step `i + 1`. */
export interface TrainingCurve {
  readonly loss: ArrayLike<number>
  readonly accuracy: ArrayLike<number>
  readonly stepsPerEpoch: number
}

/** A measurement on the whole test set. */
export interface TestPoint {
  /** Steps done before it. */
  readonly step: number
  readonly loss: number
  readonly accuracy: number
}

export interface Confusion {
  readonly labels: readonly string[]
  /** `counts[truth][predicted]`, as many rows and columns as labels. */
  readonly counts: readonly ArrayLike<number>[]
}

/** The filters of one convolution. */
export interface FilterBank {
  readonly name: string
  /** Output channels, input channels, height, width. */
  readonly shape: readonly [number, number, number, number]
  /** Row-major in that order. */
  readonly weights: ArrayLike<number>
}

/** A test image that the model got wrong. */
export interface Mistake {
  /** Grey values, row-major, on any scale: drawn from the image's least to its greatest. */
  readonly pixels: ArrayLike<number>
  readonly width: number
  readonly height: number
  readonly truth: string
  readonly predicted: string
  /** Of the wrong answer, 0 to 1. */
  readonly probability: number
  /** Of the right one. */
  readonly truthProbability?: number | undefined
  /** Position in the test set. */
  readonly index?: number | undefined
}

/** A printed graph. */
export interface GraphText {
  /** `Before optimisation`. */
  readonly label: string
  readonly equations: number
  readonly text: string
}

export interface KernelTime {
  readonly name: string
  readonly calls: number
  readonly totalSeconds: number
  /** Arithmetic operations and bytes in a second. */
  readonly flopsPerSecond?: number | undefined
  readonly bytesPerSecond?: number | undefined
  /** The time at the machine's measured roof as a fraction of its own, and which roof that is. */
  readonly roof?: number | undefined
  readonly bound?: string | undefined
  readonly threads?: number | undefined
  /** Why it is a kernel of its own, and why its results are in memory. */
  readonly why?: readonly string[] | undefined
  /** Its generated code. */
  readonly source?: string | undefined
}

/** A part of the first call of the training step. */
export interface CompileStage {
  readonly name: string
  readonly seconds: number
}

/** A whole report. A part that is undefined is left out of the page. */
export interface ReportData {
  readonly title: string
  readonly subtitle?: string | undefined
  /** When the run ended, as it should be shown. */
  readonly date: string
  /** Where and why the run stopped early: `after step 310 of 780, by Ctrl-C`. */
  readonly interrupted?: string | undefined
  readonly summary: Summary
  readonly settings: readonly NamedText[]
  readonly environment: readonly NamedText[]
  readonly training?: TrainingCurve | undefined
  readonly tests?: readonly TestPoint[] | undefined
  readonly confusion?: Confusion | undefined
  readonly filters?: readonly FilterBank[] | undefined
  /** The worst first. An empty list says that there was none. */
  readonly mistakes?: readonly Mistake[] | undefined
  readonly graphs?: readonly GraphText[] | undefined
  /** In any order; `kernelsMeasuredOver` says what was timed: `100 training steps`. */
  readonly kernels?: readonly KernelTime[] | undefined
  readonly kernelsMeasuredOver?: string | undefined
  /** What the machine can do, beside the table of kernels. */
  readonly roofs?: string | undefined
  /** Where the first call of the step went, in order. */
  readonly firstCall?: readonly CompileStage[] | undefined
  /** Remarks at the end. */
  readonly notes?: readonly string[] | undefined
}
