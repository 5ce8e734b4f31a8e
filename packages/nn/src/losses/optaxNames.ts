/** Optax's names of losses that are shorter here; the reduction is the mean all the same. */
export { polyCrossEntropy as polyLossCrossEntropy } from './softmaxCrossEntropy.ts'
export {
  softmaxCrossEntropy as multiclassLogisticLoss,
  softmaxCrossEntropy as softmaxCrossEntropyWithIntegerLabels,
} from './softmaxCrossEntropy.ts'
export { ctc as ctcLoss } from './ctc.ts'
export {
  binaryDice as binaryDiceLoss,
  dice as diceLoss,
  generalizedDice as multiclassGeneralizedDiceLoss,
} from './dice.ts'
export {
  fenchelYoung as makeFenchelYoungLoss,
  multiclassSparsemax as multiclassSparsemaxLoss,
  sparsemax as sparsemaxLoss,
} from './fenchelYoung.ts'
export { sigmoidFocal as sigmoidFocalLoss } from './focal.ts'
export { hinge as hingeLoss, perceptron as perceptronLoss } from './margin.ts'
export { ntXent as ntxent, triplet as tripletMarginLoss } from './metricLearning.ts'
export {
  multiclassHinge as multiclassHingeLoss,
  multiclassPerceptron as multiclassPerceptronLoss,
} from './multiclassMargin.ts'
export { rankingSoftmax as rankingSoftmaxLoss } from './ranking.ts'
export { huber as huberLoss } from './regression.ts'
