/**
 * The suite is the same every time: random programs and inputs come from one seed. To search
 * further, run it with another: `COTANGENT_SEED=$RANDOM npx vitest run`.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['COTANGENT_SEED'] ?? 20_251_121) })
