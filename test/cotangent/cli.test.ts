/** The command line as a user meets it: a child process, its output, its exit code, its files. */
import { encodeIdx } from '@cotangent/data'
import { tensor } from '@cotangent/core'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const main = new URL('../../packages/cotangent/dist/cli/main.js', import.meta.url).pathname

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotangent-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8', timeout: 60_000 })

const expectMisuse = (args: readonly string[], message: RegExp): void => {
  const before = readdirSync(folder)
  const { status, stderr, stdout } = run(...args)
  expect(status).toBe(2)
  expect(stdout).toBe('')
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(stderr).toMatch(message)
  expect(readdirSync(folder)).toEqual(before)
}

/** A tiny data set in MNIST's files. */
const writeMnist = (
  options: { readonly images?: number; readonly labels?: number } = {},
): string => {
  const { images = 80, labels = images } = options
  const dir = join(folder, 'mnist')
  spawnSync('mkdir', ['-p', dir])
  const pixels = (n: number) =>
    tensor(
      Uint8Array.from({ length: n * 784 }, (_, i) => (i * 31) % 256),
      { shape: [n, 28, 28] },
    )
  const classes = (n: number) => tensor(Uint8Array.from({ length: n }, (_, i) => i % 10))
  const write = (name: string, bytes: Uint8Array): void => writeFileSync(join(dir, name), bytes)
  write('train-images-idx3-ubyte', encodeIdx(pixels(images)))
  write('train-labels-idx1-ubyte', encodeIdx(classes(labels)))
  write('t10k-images-idx3-ubyte', encodeIdx(pixels(20)))
  write('t10k-labels-idx1-ubyte', encodeIdx(classes(20)))
  return dir
}

describe('misuse is one line, exit code 2, and nothing written', () => {
  test('a flag that does not exist', () => expectMisuse(['--epoch', '3'], /did you mean --epochs/))
  test('a model that does not exist', () => expectMisuse(['--model', 'resnet'], /lenet5/))
  test('a number out of range', () => expectMisuse(['--batch', '0'], /--batch/))
  test('a directory that does not exist', () => expectMisuse(['--data', 'nowhere'], /no such file/))
  test('a truncated file', () => {
    const dir = writeMnist()
    const path = join(dir, 'train-images-idx3-ubyte')
    writeFileSync(path, readFileSync(path).subarray(0, 5000))
    expectMisuse(['--data', dir], /truncated/)
  })
  test('labels that do not match the images', () => {
    expectMisuse(['--data', writeMnist({ images: 80, labels: 79 })], /79 labels, wanted 80/)
  })
  test('batches larger than the data', () => {
    expectMisuse(['--data', writeMnist(), '--batch', '500'], /--batch: got 500/)
  })
})

test('--help explains every flag', () => {
  const { status, stdout } = run('--help')
  expect(status).toBe(0)
  for (const flag of [
    '--data',
    '--model',
    '--epochs',
    '--batch',
    '--lr',
    '--seed',
    '--interpret',
  ]) {
    expect(stdout).toContain(flag)
  }
  const models = 'lenet5 mlp softmax vgg11 nin inception resnet8 densenet lstm gru'.split(' ')
  for (const model of models) expect(stdout).toMatch(new RegExp(`^  ${model} `, 'm'))
})

test('a network with running statistics trains, and is tested with them', () => {
  const args = ['--data', writeMnist(), '--epochs', '1', '--batch', '16', '--model', 'resnet8']
  const { status, stdout, stderr } = run(...args, '--report', 'r.html')
  expect([status, stderr.includes('Error')]).toEqual([0, false])
  expect(stdout).toMatch(/test acc/)
  expect(existsSync(join(folder, 'r.html'))).toBe(true)
}, 60_000)

test('a run on MNIST files writes a self-contained report, and the same seed gives the same bits', () => {
  const dir = writeMnist()
  const args = [
    '--data',
    dir,
    '--epochs',
    '2',
    '--batch',
    '16',
    '--model',
    'softmax',
    '--seed',
    '7',
  ]
  const [first, second] = ['a.html', 'b.html'].map((name) => run(...args, '--report', name))
  expect([first!.status, second!.status]).toEqual([0, 0])
  expect(first!.stdout).toContain(join(folder, 'a.html'))
  const html = readFileSync(join(folder, 'a.html'), 'utf8')
  expect(html).not.toMatch(/(src|href)="https?:/)
  const loss = (text: string): readonly string[] => text.match(/loss [\d.]+/g) ?? []
  expect(loss(first!.stdout).length).toBeGreaterThan(0)
  expect(loss(first!.stdout)).toEqual(loss(second!.stdout))
})

test('Ctrl-C stops after the step in progress and still writes the report', async () => {
  const child = spawn(
    process.execPath,
    [main, '--model', 'softmax', '--epochs', '5000', '--report', 'r.html'],
    { cwd: folder },
  )
  let output = ''
  let stopped = false
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    // Once: a second Ctrl-C ends the program at once.
    if (output.includes('test acc') && !stopped) stopped = child.kill('SIGINT')
  })
  const status = await new Promise((resolve) => child.on('exit', resolve))
  expect(status).toBe(0)
  expect(output).toMatch(/stopped after \d+ steps/)
  expect(existsSync(join(folder, 'r.html'))).toBe(true)
}, 60_000)
