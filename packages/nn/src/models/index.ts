/** `models`: networks by name. */
export { type AlexNetOptions, type AlexNetParams, alexnet } from './alexnet.ts'
export { type WithAuxiliary, auxiliaryLoss, withHeads } from './auxiliary.ts'
export {
  type CharRnn,
  type CharRnnCarry,
  type CharRnnInput,
  type CharRnnOptions,
  type CharRnnOutput,
  type CharRnnParams,
  charRnn,
} from './charRnn.ts'
export {
  type DenseBlockParams,
  type DenseNetDepth,
  type DenseNetOptions,
  type DenseNetParams,
  densenet,
} from './densenet.ts'
export type { Choices, GenerateOptions } from './generation.ts'
export {
  type DescribeOptions,
  type ImageAndCaption,
  type ImageCaptioner,
  type ImageCaptionerOptions,
  type ImageCaptionerParams,
  imageCaptioner,
} from './imageCaptioner.ts'
export type {
  ImageModelOptions,
  ImageModelWithDropout,
  StatisticsOf,
  UnitParams,
} from './image.ts'
export {
  type InceptionBlock,
  type InceptionHeads,
  type InceptionV1Options,
  type InceptionV1Params,
  inceptionV1,
} from './inceptionV1.ts'
export {
  type InceptionV2Heads,
  type InceptionV2Options,
  type InceptionV2Params,
  inceptionV2,
} from './inceptionV2.ts'
export {
  type InceptionV3Head,
  type InceptionV3Options,
  type InceptionV3Params,
  inceptionV3,
} from './inceptionV3.ts'
export { type LeNet5Options, type LeNet5Params, lenet5 } from './lenet5.ts'
export {
  type OneLayerParams,
  type OutputsOption,
  linearRegression,
  perceptron,
} from './linear.ts'
export {
  type MlpOptions,
  type MlpParams,
  type SoftmaxRegressionParams,
  mlp,
  softmaxRegression,
} from './mlp.ts'
export { type MlpConvParams, type NinOptions, type NinParams, nin } from './nin.ts'
export type { ResidualBlockParams, ResidualStage } from './residualStage.ts'
export {
  type CifarResNetDepth,
  type CifarResNetOptions,
  type CifarResNetParams,
  type ResNetDepth,
  type ResNetOptions,
  type ResNetParams,
  resnet,
} from './resnet.ts'
export { type ResNeXtDepth, type ResNeXtOptions, resnext } from './resnext.ts'
export {
  type Seq2seq,
  type Seq2seqInput,
  type Seq2seqOptions,
  type Seq2seqParams,
  type TranslateOptions,
  type Translation,
  seq2seq,
} from './seq2seq.ts'
export type { AttentionKind } from './seq2seqDecoder.ts'
export {
  type TransformerLm,
  type TransformerLmCache,
  type TransformerLmOptions,
  type TransformerLmParams,
  transformerLm,
} from './transformerLm.ts'
export { type VggDepth, type VggOptions, type VggParams, type VggState, vgg } from './vgg.ts'
