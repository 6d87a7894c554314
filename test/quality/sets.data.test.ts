import { describe, expect, test } from '@jest/globals'
import { sharedData } from '../harness/shared-data.ts'
import { isMet } from './measure.ts'
import { findSets } from './sets.ts'

const { present, absent } = findSets(sharedData)

for (const { name, data } of absent) {
  test.skip(`${name}: measured where ../shared/data/${data} is present; here it is absent`, () => {})
}

/** Time depends on the machine and on what else it does; the benchmark shows it. */
const isTime = (name: string) => name.startsWith('ms ')

for (const { name, path, measure } of present) {
  describe(name, () => {
    const figures = measure(path).figures.filter((figure) => !isTime(figure.name))

    test.each(figures.map((figure) => [figure.name, figure] as const))(
      '%s reaches its target, or what it is known to reach',
      (_, figure) => {
        const isHeld = figure.floor === undefined ? isMet(figure) : figure.value >= figure.floor
        expect({ ...figure, isHeld }).toMatchObject({ isHeld: true })
      },
    )
  })
}
