import type { PainFacts } from '../../domain/pain-facts.ts'
import type { RankedPain } from './pain-question.ts'

/** What is told of a pain, without what its details are read from. */
export function withoutSources(pain: RankedPain): PainFacts {
  const {
    fingerprintNos: _own,
    moved: _moved,
    left: _left,
    movedFrom: _from,
    headNo: _head,
    splitSteps: _steps,
    open: _open,
    operationNos: _operations,
    series: _series,
    parts: _parts,
    outlierRows: _rows,
    outlierServices: _services,
    ...facts
  } = pain
  return facts
}
