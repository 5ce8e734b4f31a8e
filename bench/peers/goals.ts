/** How fast each workload ought to be, against the other libraries with as many threads. */
import type { Library } from './columns.ts'

export type Rival = Exclude<Library, 'cotangent'>

export type Goal =
  /** At least so many times as fast as one library. */
  | { readonly tag: 'library'; readonly library: Rival; readonly atLeast: number }
  /** At least so many times as fast as the fastest of them. */
  | { readonly tag: 'best'; readonly atLeast: number }
  /** At most so much, in the workload's own unit. */
  | { readonly tag: 'below'; readonly limit: number }
  /** Billions of operations a second, for each thread. */
  | { readonly tag: 'rate'; readonly gflops: number }
  /** Two threads at least so many times as fast as one. */
  | { readonly tag: 'threads'; readonly atLeast: number }

const over = (library: Rival, atLeast: number): Goal => ({ tag: 'library', library, atLeast })
const best = (atLeast: number): Goal => ({ tag: 'best', atLeast })
const below = (limit: number): Goal => ({ tag: 'below', limit })

const matmul: readonly Goal[] = [
  over('tfjs-wasm', 1.25),
  over('jaxjs', 1.9),
  { tag: 'rate', gflops: 58 },
  { tag: 'threads', atLeast: 1.9 },
]
const smallConvolution = [over('jax-xla', 1), over('tfjs-wasm', 1), over('torch', 0.5)]
const recurrent = [over('jax-xla', 0.7), over('jaxjs', 4)]
const recurrentGradient = [over('jax-xla', 0.9), over('jaxjs', 12)]

export const goals: ReadonlyMap<string, readonly Goal[]> = new Map([
  ['matmul_256', matmul],
  ['matmul_512', matmul],
  ['matmul_1024', matmul],
  ['conv3x3_fwd', [over('jax-xla', 1), over('torch', 0.45)]],
  ['conv3x3_grad', [over('jax-xla', 1), over('torch', 0.33)]],
  ['conv_lenet1_fwd', smallConvolution],
  ['conv_lenet2_fwd', smallConvolution],
  ['maxpool_fwd', [best(1)]],
  ['maxpool_fb', [best(1)]],
  ['avgpool_fwd', [best(1)]],
  ['avgpool_fb', [best(1)]],
  ['bnrelu_fwd', [best(1)]],
  ['bnrelu_fb', [best(1)]],
  ['layernorm_fb', [best(0.8)]],
  ['softmaxce_fb', [best(0.8)]],
  ['lstm_fwd', recurrent],
  ['lstm_fb', recurrentGradient],
  ['gru_fwd', recurrent],
  ['gru_fb', recurrentGradient],
  ['lenet_step', [over('jax-xla', 1.5), over('torch', 0.9)]],
  ['mlp_step', [over('jax-xla', 0.35), over('jaxjs', 2.5), over('torch', 0.6)]],
  ['charlstm_step', [over('jax-xla', 1), over('torch', 0.4)]],
  ['resnet20_step', [over('jax-xla', 1.5), over('torch', 0.6)]],
  ['ew_transc', [over('torch', 3)]],
  ['ew_cheap', [over('jax-xla', 0.7)]],
  ['sum_all', [best(0.8)]],
  ['mean_ax0', [best(0.8)]],
  ['mean_ax1', [best(0.8)]],
  ['eager_add10', [below(1), best(1)]],
  ['jit_tiny', [below(2), best(1)]],
  ['vg_mlp_tiny', [below(8), best(1)]],
  ['lenet_first_call', [below(120)]],
  ['rss_lenet500', [below(130)]],
])
