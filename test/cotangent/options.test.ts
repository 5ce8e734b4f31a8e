import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaults, flags } from '../../packages/cotangent/src/cli/flags.ts'
import { editDistance, nearest } from '../../packages/cotangent/src/cli/nearest.ts'
import {
  type Options,
  parseOptions,
  type UsageError,
} from '../../packages/cotangent/src/cli/options.ts'
import { usage } from '../../packages/cotangent/src/cli/usage.ts'

const models = {
  lenet5: { summary: 'LeNet-5' },
  mlp: { summary: 'two hidden layers' },
  softmax: { summary: 'a linear model' },
}

const parse = (...args: readonly string[]): E.Either<UsageError, Options<keyof typeof models>> =>
  parseOptions(args, models)

const options = (...args: readonly string[]): Options => {
  const parsed = parse(...args)
  if (E.isLeft(parsed)) throw new Error(parsed.left.message)
  return parsed.right
}

const message = (...args: readonly string[]): string => {
  const parsed = parse(...args)
  return E.isLeft(parsed) ? parsed.left.message : `accepted ${JSON.stringify(parsed.right)}`
}

describe('what is accepted', () => {
  test('nothing at all: the generated digits and their defaults', () => {
    expect(options()).toEqual({
      help: false,
      source: 'digits',
      data: undefined,
      model: 'lenet5',
      ...defaults.digits,
      seed: 0,
      interpret: false,
      report: 'report.html',
    })
  })

  test('--data changes the source, and with it the defaults', () => {
    const { source, data, epochs } = options('--data', 'a b')
    expect({ source, data, epochs }).toEqual({
      source: 'mnist',
      data: 'a b',
      epochs: defaults.mnist.epochs,
    })
  })

  test('every flag, both spellings', () => {
    const spaced = '--data d --model mlp --epochs 2 --batch 8 --lr 1e-2 --seed 7 --report r.html'
    const given = options(...spaced.split(' '), '--interpret')
    expect(given).toMatchObject({ model: 'mlp', epochs: 2, batch: 8, learningRate: 0.01, seed: 7 })
    expect(given).toMatchObject({ data: 'd', report: 'r.html', interpret: true })
    const joined = '--data=d --model=mlp --epochs=2 --batch=8 --lr=.01 --seed=7 --report=r.html'
    expect(options(...joined.split(' '), '--interpret')).toEqual(given)
  })

  test('a separator handed on by the package manager', () => {
    expect(options('--', '--epochs', '2').epochs).toBe(2)
  })

  test('the ends of the ranges', () => {
    expect(options('--seed', '4294967295').seed).toBe(4294967295)
    expect(options('--epochs', '1e1').epochs).toBe(10)
    expect(options('--lr', '100').learningRate).toBe(100)
    expect(options('--report=-odd.html').report).toBe('-odd.html')
  })

  test('--help wins over mistakes', () => {
    for (const args of [['--help'], ['-h'], ['--epochs', 'x', '--help'], ['--nonsense', '-h']]) {
      expect(options(...args).help).toBe(true)
    }
  })
})

test.each([
  ['--epochs three', "--epochs: got 'three', wants a whole number from 1 to 10000"],
  ['--epochs 0', "--epochs: got '0', wants a whole number from 1 to 10000"],
  ['--epochs 2.5', "--epochs: got '2.5', wants a whole number from 1 to 10000"],
  ['--epochs -1', "--epochs: got '-1', wants a whole number from 1 to 10000"],
  ['--epochs 0x10', "--epochs: got '0x10', wants a whole number from 1 to 10000"],
  ['--epochs=', "--epochs: got '', wants a whole number from 1 to 10000"],
  ['--epochs', '--epochs: got nothing, wants a whole number from 1 to 10000'],
  ['--epochs --lr 1', "--epochs: got no value before '--lr', wants a whole number from 1 to 10000"],
  ['--epochs 1 --epochs 2', '--epochs: got it twice, wants to be given once'],
  ['--batch 65537', "--batch: got '65537', wants a whole number from 1 to 65536"],
  ['--lr 0', "--lr: got '0', wants a number above 0 and at most 100"],
  ['--lr NaN', "--lr: got 'NaN', wants a number above 0 and at most 100"],
  ['--lr 1e999', "--lr: got '1e999', wants a number above 0 and at most 100"],
  ['--seed 4294967296', "--seed: got '4294967296', wants a whole number from 0 to 4294967295"],
  ['--interpret=yes', "--interpret: got 'yes', wants no value"],
  ['--help=me', "--help: got 'me', wants no value"],
  ['--data=', "--data: got '', wants a path"],
  [
    '--model lenet',
    "--model: got 'lenet', wants one of lenet5, mlp, softmax; did you mean lenet5?",
  ],
  ['--model vgg', "--model: got 'vgg', wants one of lenet5, mlp, softmax"],
  ['--model toString', "--model: got 'toString', wants one of lenet5, mlp, softmax"],
  ['--epoch 3', '--epoch: no such flag; did you mean --epochs?'],
  ['--sede 3', '--sede: no such flag; did you mean --seed?'],
  ['-epochs 3', '-epochs: no such flag; did you mean --epochs?'],
  ['--learning-rate=3', '--learning-rate: no such flag; did you mean --lr?'],
  ['--batch_size 3', '--batch_size: no such flag; did you mean --batch?'],
  ['--constructor', /^--constructor: no such flag; the flags are --data --model .* --help$/],
  ['digits', "'digits': got a word without a flag, wants flags only"],
])('refused: %s', (line, expected) => {
  const got = message(...line.split(' '))
  if (typeof expected === 'string') expect(got).toBe(expected)
  else expect(got).toMatch(expected)
})

test('any arguments give options in range or one line of bounded length', () => {
  const word = fc.oneof(
    fc.constantFrom(...flags.map((f) => `--${f.name}`)),
    fc.constantFrom(
      '--',
      '-',
      '--=',
      '-h5',
      '1',
      '-1',
      '0.5',
      '1e400',
      'mlp',
      '--lr=',
      '__proto__',
    ),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'binary', maxLength: 20 }).map((s) => `--${s}`),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (args) => {
      const parsed = parse(...args)
      if (E.isLeft(parsed)) {
        expect(parsed.left.message).toMatch(/^[^\n\r\u2028\u2029]{1,300}$/)
        return
      }
      const { model, epochs, batch, learningRate, seed } = parsed.right
      expect(Object.keys(models)).toContain(model)
      for (const n of [epochs, batch, seed]) expect(Number.isSafeInteger(n)).toBe(true)
      expect(epochs > 0 && batch > 0 && seed >= 0 && learningRate > 0).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('an empty table of models is a mistake of the caller', () => {
  expect(() => parseOptions([], {})).toThrow(RangeError)
})

test('the usage text names every flag and every model', () => {
  const text = usage(models)
  for (const { name } of flags) expect(text).toContain(`--${name}`)
  for (const [name, { summary }] of Object.entries(models)) {
    expect(text).toMatch(new RegExp(`^ {2}${name} +${summary}$`, 'm'))
  }
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})

describe('the nearest word', () => {
  test('distance is a metric on short words, and a swap costs one', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const d = editDistance(a, b)
        expect(d).toBe(editDistance(b, a))
        expect(d === 0).toBe(a === b)
        expect(d).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(d).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
    expect(editDistance('seed', 'sede')).toBe(1)
    expect(editDistance('kitten', 'sitting')).toBe(3)
  })

  test('one slip finds the word again; nonsense finds none', () => {
    expect(nearest('lenet6', Object.keys(models))).toBe('lenet5')
    expect(nearest('LeNet5', Object.keys(models))).toBe('lenet5')
    expect(nearest('', Object.keys(models))).toBeUndefined()
    expect(nearest('qqqqqq', Object.keys(models))).toBeUndefined()
  })
})
