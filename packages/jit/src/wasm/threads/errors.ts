/** What can go wrong with threads. */
import { CotangentError } from '@cotangent/core'

/** A worker thread trapped, threw or died: the results of the job it had a part in are not valid. */
export class WorkerError extends CotangentError {}

export const workerFailed = (text: string): WorkerError =>
  new WorkerError({
    operation: 'threads',
    problem: 'a worker thread failed, and what it computed is missing',
    got: text,
    fix: 'run again, with setThreads(1) if it happens again',
  })
