/** What the compiler is expected to make of each workload that other libraries share. */

export type Filtering = 'minimal' | 'direct'

export interface Path {
  /**
   * Differently named kernels at most: more of them means that something is no longer fused. Those that
   * only bring an operand into another order do not count.
   */
  readonly most: number
  /** Primitives that kernels are seen to compute; those inlined into others are not seen. */
  readonly computed: readonly string[]
  /** How a convolution is computed: by products of transformed tiles, or tap by tap. */
  readonly filtering?: { readonly js: Filtering; readonly wasm: Filtering }
  /** Vectors of partial results that a product or convolution keeps in registers, at least. */
  readonly tile?: number
}

const matmul: Path = { most: 1, computed: ['dotGeneral'], tile: 8 }

export const paths: ReadonlyMap<string, Path> = new Map([
  ['matmul_256', matmul],
  ['matmul_512', matmul],
  ['matmul_1024', matmul],
  [
    'conv3x3_fwd',
    { most: 5, computed: [], filtering: { js: 'minimal', wasm: 'minimal' }, tile: 8 },
  ],
  // The gradient of the kernel is a convolution with the image as its window.
  [
    'conv3x3_grad',
    { most: 8, computed: ['conv'], filtering: { js: 'direct', wasm: 'minimal' }, tile: 8 },
  ],
  [
    'conv_lenet1_fwd',
    { most: 2, computed: ['conv'], filtering: { js: 'direct', wasm: 'direct' }, tile: 6 },
  ],
  [
    'conv_lenet2_fwd',
    { most: 1, computed: ['conv'], filtering: { js: 'direct', wasm: 'direct' }, tile: 6 },
  ],
  ['maxpool_fwd', { most: 1, computed: ['reduceWindowMax'] }],
  ['maxpool_fb', { most: 2, computed: ['reduceWindowMax', 'selectAndScatterAdd'] }],
  ['avgpool_fwd', { most: 1, computed: ['reduceWindowSum'] }],
  ['avgpool_fb', { most: 3, computed: ['reduceWindowSum'] }],
  ['bnrelu_fwd', { most: 4, computed: ['reduceSum'] }],
  ['bnrelu_fb', { most: 6, computed: ['reduceSum'] }],
  ['layernorm_fb', { most: 2, computed: ['reduceSum', 'rsqrt'] }],
  ['softmaxce_fb', { most: 4, computed: ['reduceMax', 'exp', 'reduceSum'] }],
  ['lstm_fwd', { most: 6, computed: ['dotGeneral'], tile: 8 }],
  ['lstm_fb', { most: 16, computed: ['dotGeneral'], tile: 8 }],
  ['gru_fwd', { most: 5, computed: ['dotGeneral'], tile: 8 }],
  ['gru_fb', { most: 16, computed: ['dotGeneral'], tile: 8 }],
  ['lenet_step', { most: 37, computed: ['conv', 'dotGeneral', 'logistic'], tile: 4 }],
  ['mlp_step', { most: 20, computed: ['dotGeneral', 'select'], tile: 6 }],
  ['charlstm_step', { most: 26, computed: ['dotGeneral', 'reduceMax', 'exp', 'reduceSum'] }],
  ['resnet20_step', { most: 85, computed: ['conv', 'reduceSum'] }],
  [
    'transformer_step',
    { most: 28, computed: ['dotGeneral', 'reduceMax', 'exp', 'erfc', 'rsqrt'], tile: 8 },
  ],
  ['inception_step', { most: 39, computed: ['conv', 'reduceWindowMax', 'select'], tile: 8 }],
  ['dense_step', { most: 80, computed: ['conv', 'reduceSum', 'rsqrt', 'concatenate'], tile: 8 }],
  ['ew_transc', { most: 1, computed: ['add'] }],
  ['ew_cheap', { most: 1, computed: ['sub'] }],
  ['sum_all', { most: 1, computed: ['reduceSum'] }],
  ['mean_ax0', { most: 1, computed: ['reduceSum'] }],
  ['mean_ax1', { most: 1, computed: ['reduceSum'] }],
  ['jit_tiny', { most: 1, computed: ['tanh'] }],
  ['vg_mlp_tiny', { most: 10, computed: ['dotGeneral', 'tanh'] }],
])
