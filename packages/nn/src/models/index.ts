/** `models`: networks by name. */
export { type LeNet5Options, type LeNet5Params, lenet5 } from './lenet5.ts'
export {
  type MlpOptions,
  type MlpParams,
  type SoftmaxRegressionParams,
  mlp,
  softmaxRegression,
} from './mlp.ts'
