/** `@cotangent/nn`: layers, losses, metrics, optimisers, training, models. */
export * as models from './models/index.ts'
export * as nn from './nn.ts'
export * as optim from './optim/index.ts'
export * as train from './train/index.ts'
