/** Layers, transforms and whole training runs against PyTorch's float64 values. */
import { type GoldenCase, oracle } from './cases.ts'
import { runCase } from './torch.ts'
import { activationOperations } from './torchActivations.ts'
import { attentionOperations } from './torchAttention.ts'
import { layerOperations } from './torchLayers.ts'
import { torchEmbeddings } from './torchEmbedding.ts'
import { torchLosses } from './torchLosses.ts'
import { type TrainingCase, runTraining } from './torchTraining.ts'
import { type TransformCase, runTransform } from './torchTransforms.ts'

for (const kind of ['conv', 'pool', 'norm', 'rnn']) {
  oracle<GoldenCase>(`torch/${kind}.json`, (c) => c.name, (c) => runCase(layerOperations, c))
}
oracle<GoldenCase>('torch/activations.json', (c) => c.name, (c) => runCase(activationOperations, c))
oracle<GoldenCase>('torch/embedding.json', (c) => c.name, (c) => runCase(torchEmbeddings, c))
oracle<GoldenCase>('torch/attention.json', (c) => c.name, (c) => runCase(attentionOperations, c))
oracle<GoldenCase>('torch/losses.json', (c) => c.name, (c) => runCase(torchLosses, c))
oracle<TransformCase>('torch/transforms.json', (c) => c.name, runTransform)
oracle<TrainingCase>('torch/training.json', (c) => c.name, runTraining)
