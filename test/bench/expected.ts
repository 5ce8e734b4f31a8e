/** What the compiler is expected to make of each workload that other libraries share. */

export interface Path {
  /**
   * Differently named kernels at most: more of them means that something is no longer fused. Those that
   * only bring an operand into another order do not count.
   */
  readonly most: number
  /** Kernels, by the primitives that they fuse. */
  readonly kernels: readonly string[]
  /** How a convolution is computed: by products of transformed tiles, or tap by tap. */
  readonly filtering?: 'minimal' | 'direct'
  /** Vectors of partial results that a product or convolution keeps in registers, at least. */
  readonly tile?: number
}

const matmul: Path = { most: 1, kernels: ['dotGeneral'], tile: 8 }

export const paths: ReadonlyMap<string, Path> = new Map([
  ['matmul_256', matmul],
  ['matmul_512', matmul],
  ['matmul_1024', matmul],
  ['conv3x3_fwd', { most: 5, kernels: [], filtering: 'minimal', tile: 8 }],
  // The gradient of the kernel is a convolution with the image as its window.
  ['conv3x3_grad', { most: 8, kernels: ['conv'], tile: 8 }],
  ['conv_lenet1_fwd', { most: 2, kernels: ['conv'], filtering: 'direct', tile: 6 }],
  ['conv_lenet2_fwd', { most: 1, kernels: ['conv'], filtering: 'direct', tile: 6 }],
  ['maxpool_fwd', { most: 1, kernels: ['reduceWindowMax'] }],
  ['maxpool_fb', { most: 2, kernels: ['reduceWindowMax', 'selectAndScatterAdd'] }],
  ['avgpool_fwd', { most: 1, kernels: ['reduceWindowSum_div'] }],
  ['avgpool_fb', { most: 3, kernels: ['reduceWindowSum_div', 'reduceWindowSum'] }],
  ['bnrelu_fwd', { most: 4, kernels: ['reduceSum'] }],
  ['bnrelu_fb', { most: 5, kernels: ['reduceSum'] }],
  ['layernorm_fb', { most: 2, kernels: ['reduceSum_div_add_rsqrt'] }],
  ['softmaxce_fb', { most: 4, kernels: ['reduceMax_exp_reduceSum_div'] }],
  ['lstm_fwd', { most: 6, kernels: ['dotGeneral_add', 'dotGeneral'], tile: 8 }],
  ['lstm_fb', { most: 16, kernels: ['dotGeneral_add', 'dotGeneral'], tile: 8 }],
  ['gru_fwd', { most: 5, kernels: ['dotGeneral_add', 'dotGeneral'], tile: 8 }],
  ['gru_fb', { most: 16, kernels: ['dotGeneral_add', 'dotGeneral'], tile: 8 }],
  ['lenet_step', { most: 37, kernels: ['conv_logistic', 'dotGeneral_logistic'], tile: 4 }],
  ['mlp_step', { most: 20, kernels: ['dotGeneral_select'], tile: 6 }],
  ['charlstm_step', { most: 26, kernels: ['dotGeneral_add', 'reduceMax_exp_reduceSum_div'] }],
  ['resnet20_step', { most: 82, kernels: ['conv', 'reduceSum'] }],
  ['ew_transc', { most: 1, kernels: ['add'] }],
  ['ew_cheap', { most: 1, kernels: ['sub'] }],
  ['sum_all', { most: 1, kernels: ['reduceSum'] }],
  ['mean_ax0', { most: 1, kernels: ['reduceSum_div'] }],
  ['mean_ax1', { most: 1, kernels: ['reduceSum_div'] }],
  ['jit_tiny', { most: 1, kernels: ['tanh'] }],
  ['vg_mlp_tiny', { most: 10, kernels: ['dotGeneral_tanh'] }],
])
