import { processFaultRows } from './process-fault.rows.ts'
import { testRows } from './test-rows.ts'

testRows(processFaultRows, () => null)
