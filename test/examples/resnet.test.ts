import { join } from 'node:path'
import { main } from '@cotangent/examples/resnet'
import { expect, test } from 'vitest'
import { dataDirectory } from './text.ts'

test('a narrow residual network reads generated digits after two short epochs', async () => {
  const lines: string[] = []
  const print = (line: string): unknown => lines.push(line)
  const { accuracy } = await main(undefined, {
    examples: 2000,
    epochs: 2,
    batch: 25,
    width: 8,
    print,
  })
  expect(accuracy).toBeGreaterThan(0.6)
  expect(lines).toHaveLength(2)
  expect(lines[1]).toMatch(/^epoch 2: loss [\d.]+, test accuracy [\d.]+ %$/)
})

test('it says which file is missing', async () => {
  await expect(main(join(dataDirectory, 'nowhere'))).rejects.toThrow('no such file')
})
