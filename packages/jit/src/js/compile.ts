/** From a kernel to a function that runs it. */
import type { Kernel } from '../kernel.ts'
import { runLoopPasses } from '../loops/passes.ts'
import { stage } from '../profile/stopwatch.ts'
import { type Run, evaluateFunction } from './evaluate.ts'
import { printFunction } from './print.ts'
import { identifier } from './scope.ts'
import { scratchArrays } from './scratch.ts'

export interface CompiledKernel {
  /** Takes the kernel's buffers in order; half floats as 16-bit codes, bools as bytes. */
  readonly run: Run
  readonly source: string
}

/** The JavaScript source of a kernel, after the loop passes. */
export const printKernel = (kernel: Kernel): string => printFunction(runLoopPasses(kernel)).source

/**
 * Compiles a kernel to a JavaScript function.
 * @throws CompileError where a content security policy forbids generated code; ask
 * `codeGenerationAllowed` first.
 * @example
 * const { run } = compileKernel(kernel)
 * run(x, y, out)
 */
export const compileKernel = (kernel: Kernel): CompiledKernel => {
  const ready = stage('loop passes', () => runLoopPasses(kernel))
  const { source, links } = printFunction(ready)
  const scratch = ready.scratch ?? []
  if (scratch.length === 0) return { run: evaluateFunction(source, links), source }
  const arrays = scratchArrays(scratch)
  const named = scratch.map((s, n) => [identifier(s.name), arrays[n]] as const)
  return { run: evaluateFunction(source, new Map([...links, ...named])), source }
}
