import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { main } from '@cotangent/examples/lenet'
import { expect, test } from 'vitest'
import { dataDirectory } from './text.ts'

const silent = (): void => {}

test('LeNet-5 reads four of five generated digits after one short epoch', async () => {
  const lines: string[] = []
  const print = (line: string): unknown => lines.push(line)
  const { accuracy } = await main({ examples: 2560, epochs: 1, batch: 32, print })
  expect(accuracy).toBeGreaterThan(0.8)
  expect(lines).toHaveLength(1)
})

const mnist = join(dataDirectory, 'mnist')

test('it reads MNIST files where there are any, and says what is wrong where there are none', async () => {
  await expect(main({ directory: join(dataDirectory, 'nowhere') })).rejects.toThrow('no such file')
  if (!existsSync(mnist)) return
  const { accuracy } = await main({
    directory: mnist,
    examples: 2560,
    epochs: 1,
    batch: 32,
    print: silent,
  })
  expect(accuracy).toBeGreaterThan(0.8)
})
