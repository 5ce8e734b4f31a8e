/** Relaxed SIMD: multiply and add in one instruction, rounded once. Only where it is asked for. */
import { UnsupportedError } from '@cotangent/core'
import { ModuleBuilder } from './encode/module.ts'
import { FunctionBody } from './encode/body.ts'
import { relaxed } from './encode/opcodes.ts'
import { environmentSetting } from './threads/host.ts'

let available: boolean | null = null
let wanted: boolean | null = null

/** Whether this engine has the instruction: Node from 22 on, Chromium from 114 on. Tried once. */
export const canFuseMultiplyAdd = (): boolean => {
  available ??= tryValidating()
  return available
}

const tryValidating = (): boolean => {
  const module = new ModuleBuilder()
  const index = module.declare('probe', ['v128'], ['v128'])
  const body = new FunctionBody(['v128'])
  for (let n = 0; n < 3; n++) body.get(0)
  body.relaxed(relaxed.f32x4RelaxedMadd)
  module.define(index, body)
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(module.toBytes())
}

/**
 * Whether functions compiled from now on use it in sums of products (matrix products, convolutions):
 * what `setFusedMultiplyAdd` said, else whether the environment variable `COTANGENT_FMA` is 1.
 * Off by default: the last bits of results then depend on the processor.
 */
export const fusesMultiplyAdd = (): boolean => {
  wanted ??= environmentSetting('COTANGENT_FMA') === '1' && canFuseMultiplyAdd()
  return wanted
}

/**
 * Asks for fused multiply-add in functions that are compiled from now on, or no longer.
 * @throws UnsupportedError where the engine has no relaxed SIMD
 * @example
 * setFusedMultiplyAdd(true) // faster on processors whose adder and multiplier are one unit
 */
export const setFusedMultiplyAdd = (on: boolean): void => {
  if (on && !canFuseMultiplyAdd()) {
    throw new UnsupportedError({
      operation: 'setFusedMultiplyAdd',
      problem: 'this engine has no relaxed SIMD instructions',
      fix: 'use Node 22 or later, or a browser with WebAssembly relaxed SIMD',
    })
  }
  wanted = on
}
