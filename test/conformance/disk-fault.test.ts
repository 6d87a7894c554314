import { diskFaultRows } from './disk-fault.rows.ts'
import { testRows } from './test-rows.ts'

testRows(diskFaultRows, () => null)
