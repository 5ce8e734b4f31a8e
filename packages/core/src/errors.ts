/** Typed errors: what was got, what was wanted, the fix, and the line of the user's code. */

export interface ErrorReport {
  /** The operation that refuses: `dotGeneral`. */
  readonly operation: string
  /** What is wrong, in one clause. */
  readonly problem: string
  /** What arrived: slots with dtypes and shapes. */
  readonly got?: string
  /** What would have been accepted. */
  readonly want?: string
  /** What to do about it, in the imperative. */
  readonly fix: string
}

const ours = /[/\\](packages[/\\](core|ops|jit|nn|data|cotangent)[/\\](src|dist)|@cotangent)[/\\]/

/**
 * The first stack frame outside the library: `at file:///…/train.ts:12:7`, or undefined where
 * there is none (a call typed at a prompt).
 */
export const userLocation = (): string | undefined => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 40
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = limit
  return locate(stack)
}

/** The first frame of a stack that lies outside the library. */
export const locate = (stack: string): string | undefined => {
  for (const line of stack.split('\n').slice(1)) {
    if (ours.test(line) || line.includes('node:') || line.includes('<anonymous>')) continue
    const place = /\(?((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:\\)[^)]*:\d+:\d+)\)?$/.exec(line.trim())
    if (place?.[1] !== undefined) return place[1]
  }
  return undefined
}

/** The base of every error that wrong use of the library throws. */
export class CotangentError extends Error {
  readonly operation: string
  readonly problem: string
  readonly got: string | undefined
  readonly want: string | undefined
  readonly fix: string
  /** `file:line:column` of the user's call. */
  readonly location: string | undefined

  constructor(report: ErrorReport, location: string | undefined = userLocation()) {
    const lines = [`${report.operation}: ${report.problem}`]
    if (report.got !== undefined) lines.push(`  got   ${report.got}`)
    if (report.want !== undefined) lines.push(`  want  ${report.want}`)
    lines.push(`  fix   ${report.fix}`)
    if (location !== undefined) lines.push(`  at    ${location}`)
    super(lines.join('\n'))
    this.name = new.target.name
    this.operation = report.operation
    this.problem = report.problem
    this.got = report.got
    this.want = report.want
    this.fix = report.fix
    this.location = location
  }
}

/** Shapes that do not fit. */
export class ShapeError extends CotangentError {}
/** Dtypes that do not fit. */
export class DTypeError extends CotangentError {}
/** A tree of the wrong structure, or a leaf that is no tensor. */
export class TreeError extends CotangentError {}
/** A traced value used as a number, or leaked out of its transform. */
export class TracerError extends CotangentError {}
/** An index or axis outside its range. */
export class IndexError extends CotangentError {}
/** Something that exists, but not in this combination. */
export class UnsupportedError extends CotangentError {}
/** Code generation failed. */
export class CompileError extends CotangentError {}
/** A NaN or an Inf where a check forbids it, or derivatives that disagree. */
export class NumericsError extends CotangentError {}
/** A broken invariant of the library itself: never the caller's fault. */
export class InternalError extends CotangentError {
  constructor(report: Omit<ErrorReport, 'fix'> & { readonly fix?: string }, location?: string) {
    const fix = 'this is a fault of cotangent: report it with the program that led here'
    super({ fix, ...report }, location)
  }
}
