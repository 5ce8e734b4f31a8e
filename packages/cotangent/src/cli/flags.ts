/** The flags of the command line, as data: what each takes, its range, and its default. */

/** What a flag's value must be. */
export type FlagKind =
  | { readonly tag: 'switch' }
  | { readonly tag: 'path' }
  | { readonly tag: 'model' }
  | { readonly tag: 'integer'; readonly min: number; readonly max: number }
  | { readonly tag: 'real'; readonly above: number; readonly max: number }

export interface Flag {
  readonly name: FlagName
  readonly kind: FlagKind
  /** The placeholder of the value in the usage text; empty for a switch. */
  readonly placeholder: string
  readonly help: string
  /** Names that other programs use for the same thing: understood in suggestions only. */
  readonly alsoKnownAs: readonly string[]
}

export type FlagName =
  | 'data'
  | 'model'
  | 'epochs'
  | 'batch'
  | 'lr'
  | 'seed'
  | 'interpret'
  | 'report'
  | 'help'

/** Where the examples come from: the built-in generator, or MNIST files in a directory. */
export type DataSource = 'digits' | 'mnist'

export interface Defaults {
  readonly epochs: number
  readonly batch: number
  readonly learningRate: number
}

/**
 * Suited to LeNet-5 under Adam: about a minute on the generated digits, and on MNIST the three
 * epochs after which it has passed 98.5 % on the test set.
 */
export const defaults: Readonly<Record<DataSource, Defaults>> = {
  digits: { epochs: 5, batch: 64, learningRate: 0.002 },
  mnist: { epochs: 3, batch: 64, learningRate: 0.002 },
}

export const defaultSeed = 0
export const defaultReport = 'report.html'

export const flags: readonly Flag[] = [
  {
    name: 'data',
    kind: { tag: 'path' },
    placeholder: 'DIR',
    help: 'train on the MNIST files (IDX, plain or .gz) in DIR instead of generated digits',
    alsoKnownAs: ['dataset', 'data-dir', 'directory', 'mnist'],
  },
  {
    name: 'model',
    kind: { tag: 'model' },
    placeholder: 'NAME',
    help: 'what to train',
    alsoKnownAs: ['net', 'network', 'arch', 'architecture'],
  },
  {
    name: 'epochs',
    kind: { tag: 'integer', min: 1, max: 10_000 },
    placeholder: 'N',
    help: 'passes over the training set',
    alsoKnownAs: ['num-epochs', 'n-epochs'],
  },
  {
    name: 'batch',
    kind: { tag: 'integer', min: 1, max: 65_536 },
    placeholder: 'N',
    help: 'examples per step',
    alsoKnownAs: ['batch-size', 'minibatch'],
  },
  {
    name: 'lr',
    kind: { tag: 'real', above: 0, max: 100 },
    placeholder: 'X',
    help: 'learning rate',
    alsoKnownAs: ['learning-rate', 'rate', 'step-size', 'alpha'],
  },
  {
    name: 'seed',
    kind: { tag: 'integer', min: 0, max: 4_294_967_295 },
    placeholder: 'N',
    help: 'the same seed gives the same bits',
    alsoKnownAs: ['random-seed', 'key', 'rng'],
  },
  {
    name: 'interpret',
    kind: { tag: 'switch' },
    placeholder: '',
    help: 'run operation by operation, without compiling (slow)',
    alsoKnownAs: ['interpreter', 'interpreted', 'no-jit', 'eager'],
  },
  {
    name: 'report',
    kind: { tag: 'path' },
    placeholder: 'FILE',
    help: 'where to write the report',
    alsoKnownAs: ['output', 'out', 'html'],
  },
  {
    name: 'help',
    kind: { tag: 'switch' },
    placeholder: '',
    help: 'this text',
    alsoKnownAs: ['usage'],
  },
]
