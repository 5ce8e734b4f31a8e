/** Recurrent layers over sequences `[batch, time, features]`, and their cells. */
export * from './bidirectional.ts'
export * from './cell.ts'
export * from './cells.ts'
export * from './convLstmCell.ts'
export * from './encoderDecoder.ts'
export * from './layerNormLstm.ts'
export * from './layers.ts'
export { recurrent } from './recurrent.ts'
export * from './types.ts'
export {
  type Gate,
  type GruGates,
  type LstmGates,
  gates,
  joinGates,
} from '../../functional/recurrent/gates.ts'
