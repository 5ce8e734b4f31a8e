/** Initialisers: functions of a key and a shape. They give JAX's numbers for JAX's keys. */
export * from './initializers/basic.ts'
export * from './initializers/gain.ts'
export * from './initializers/orthogonal.ts'
export * from './initializers/structured.ts'
export * from './initializers/varianceScaling.ts'
