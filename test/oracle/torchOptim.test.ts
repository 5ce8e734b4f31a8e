/** Optimisers and schedules against PyTorch's. */
import { oracle } from './cases.ts'
import { type TorchOptimCase, runTorchOptimizer } from './torchOptim.ts'
import { type ScheduleCase, runTorchSchedule } from './torchSchedules.ts'

oracle<TorchOptimCase>('torch/optim.json', (c) => c.name, runTorchOptimizer)
oracle<ScheduleCase>('torch/lr_schedules.json', (c) => c.name, runTorchSchedule)
