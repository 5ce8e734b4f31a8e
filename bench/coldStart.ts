/** Prints the milliseconds that tracing and compiling the LeNet step take in this new process. */
import { jit } from '@cotangent/jit'
import { lenetInputs, lenetState, lenetStep } from './suites/lenet.ts'

const { images, targets, key } = lenetInputs(64)
const state = lenetState(64)
const start = performance.now()
jit(lenetStep, { donate: [0] }).lower(state, images, targets, key, 0)
console.log(performance.now() - start)
