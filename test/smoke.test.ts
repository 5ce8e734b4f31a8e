import { expect, test } from 'vitest'
import * as api from 'cotangent'

test('the one import loads', () => {
  expect(api).toBeTypeOf('object')
})
