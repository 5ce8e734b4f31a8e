/** Recurrent cells, alone and over time. */
export * from './cells.ts'
export * from './convLstm.ts'
export * from './feedback.ts'
export * from './gates.ts'
export * from './overTime.ts'
export * from './run.ts'
export * from './torch.ts'
