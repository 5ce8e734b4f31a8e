/**
 * The checks of PyTorch 2.13: norm and product with signs of each output, or the first three losses of a
 * training step. A library that computes something else is left out of the ranking.
 */
export const reference: ReadonlyMap<string, readonly number[]> = new Map([
  ['matmul_256', [4081.378, 296.2272]],
  ['matmul_512', [11576.58, -17077.87]],
  ['matmul_1024', [32875.12, -447.3647]],
  ['conv3x3_fwd', [1244.051, 214.329]],
  ['conv3x3_grad', [1245.107, 805.167, 29944.7, -26197.64]],
  ['conv_lenet1_fwd', [484.3919, 547.3912]],
  ['conv_lenet2_fwd', [326.5678, 238.0287]],
  ['maxpool_fwd', [788.9156, 613.9929]],
  ['maxpool_fb', [788.9156, 613.9929, 633.5391, 594.8787]],
  ['avgpool_fwd', [203.4453, -102.3955]],
  ['avgpool_fb', [203.4453, -102.3955, 203.5419, 97.46194]],
  ['bnrelu_fwd', [1320, 2474.988]],
  ['bnrelu_fb', [1320, 2474.988, 956.2756, -183.6455, 993.1985, -1739.005, 1164.531, 745.9233]],
  [
    'layernorm_fb',
    [2053.149, -1810.252, 1489.016, -3253.723, 1459.993, 2402.634, 1440.877, 2637.004],
  ],
  ['softmaxce_fb', [7.428748, -7.428748, 0.03126171, 0.0131162]],
  ['lstm_fwd', [118.3633, -92.97858]],
  [
    'lstm_fb',
    [
      118.3633, -92.97858, 134.5489, -13.01493, 2170.781, -1247.89, 603.3207, 794.8886, 296.9342,
      -338.4345, 296.9342, -338.4345,
    ],
  ],
  ['gru_fwd', [245.2372, -330.6458]],
  [
    'gru_fb',
    [
      245.2372, -330.6458, 270.9566, -131.2572, 4346.946, 2786.432, 1411.077, -65.22844, 574.4465,
      -322.8658, 311.0523, -194.2497,
    ],
  ],
  ['lenet_step', [2.430133, 2.38642, 2.325968]],
  ['mlp_step', [2.45721, 1.686604, 1.168476]],
  ['charlstm_step', [4.178997, 4.173855, 4.169125]],
  ['resnet20_step', [2.660393, 2.523218, 2.301673]],
  ['transformer_step', [2.544737, 2.395461, 2.291968]],
  ['inception_step', [2.001461, 1.839594, 1.642629]],
  ['dense_step', [1.972084, 1.914685, 1.833417]],
  ['ew_transc', [1847.848, 1060.048]],
  ['ew_cheap', [6481.693, -154.0473]],
  ['sum_all', [2661.867, 2661.867]],
  ['mean_ax0', [1.000285, 0.8327036]],
  ['mean_ax1', [0.9997089, 1.569712]],
  ['eager_add10', [5.325627, 4.854292]],
  ['jit_tiny', [1.908085, -1.715785]],
  [
    'vg_mlp_tiny',
    [
      2.717013, -2.717013, 1.862039, 1.996451, 2.745194, -3.931141, 2.922816, 0.1052294, 3.114751,
      3.114751,
    ],
  ],
])

const stepTolerance = 2e-4
const tolerance = 2e-3

/** Whether checks agree with the reference; those of a norm and its signed product by the norm. */
export const isRight = (workload: string, check: readonly number[]): boolean => {
  const wanted = reference.get(workload)
  if (wanted === undefined) return true
  if (wanted.length !== check.length) return false
  const isStep = workload.endsWith('_step')
  return wanted.every((want, i) => {
    const scale = Math.abs(isStep ? want : wanted[i - (i % 2)]!)
    return Math.abs(check[i]! - want) <= (isStep ? stepTolerance : tolerance) * (scale || 1)
  })
}
