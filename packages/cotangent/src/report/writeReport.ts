/** Writes a report where all of it or nothing of it is there. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ReportData } from './data.ts'
import { renderReport } from './report.ts'

/** A report that cannot be written. `message` is one line, ready to print. */
export interface ReportError {
  readonly tag: 'ReportError'
  readonly path: string
  readonly message: string
}

const codes: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory; name a file',
  ENOTDIR: 'a part of the path is a file, not a directory',
  ENAMETOOLONG: 'the name is too long',
}

const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : undefined

const reportError = (path: string, cause: unknown): ReportError => {
  const known = codes[codeOf(cause) ?? '']
  const reason = known ?? (cause instanceof Error ? cause.message : String(cause))
  return { tag: 'ReportError', path, message: `--report: cannot write ${path}: ${reason}` }
}

const isDirectory = async (path: string): Promise<boolean | undefined> => {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

const refusal = (code: string): Error => Object.assign(new Error(code), { code })

const check = async (path: string): Promise<string> => {
  const full = resolve(path)
  if (path.endsWith('/') || (await isDirectory(full)) === true) throw refusal('EISDIR')
  // The nearest directory that exists: those below it are made when the report is written.
  let parent = dirname(full)
  let found = await isDirectory(parent)
  while (found === undefined) {
    parent = dirname(parent)
    found = await isDirectory(parent)
  }
  if (!found) throw refusal('ENOTDIR')
  await access(parent, constants.W_OK | constants.X_OK)
  return full
}

/**
 * Whether a report can be written to `path`, to be asked before the work and not after it. Writes
 * nothing. Right: the absolute path.
 */
export const checkReportPath = (path: string): TE.TaskEither<ReportError, string> =>
  TE.tryCatch(
    () => check(path),
    (cause) => reportError(path, cause),
  )

const write = async (path: string, content: string): Promise<string> => {
  const full = await check(path)
  await mkdir(dirname(full), { recursive: true })
  // In the same directory: only within one file system is a rename atomic.
  const temporary = `${full}.${randomBytes(6).toString('hex')}.part`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(content, 'utf8')
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, full)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
  return full
}

/**
 * Renders and writes a report, making the directories that are missing. A reader of `path` sees the
 * old file or the whole new one. Right: the absolute path.
 *
 * Example: `await writeReport('report.html', data)()`
 */
export const writeReport = (path: string, data: ReportData): TE.TaskEither<ReportError, string> =>
  TE.tryCatch(
    async () => write(path, renderReport(data)),
    (cause) => reportError(path, cause),
  )
