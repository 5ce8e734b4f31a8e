/** Gives eager operations their kernels. */
import { installEagerBackend } from '@cotangent/core'
import { evaluateCompiled } from './evaluate.ts'

installEagerBackend(evaluateCompiled)
