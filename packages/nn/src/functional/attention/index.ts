/** Attention: dot products, masks, positions, and what decoders read. */
export * from './dotProduct.ts'
export * from './masks.ts'
export * from './multiHead.ts'
export * from './positions.ts'
export * from './seq2seq.ts'
export * from './torch.ts'
