import { encodeAttributes, encodeCount } from './encode-value.ts'
import type { Envelope, OtlpResource, OtlpScope } from './model.ts'
import type { ProtoWriter } from './proto-writer.ts'

/**
 * Writes the envelopes around these records, which traces and logs number alike. Neighbours that share the resource object
 * share one, likewise the scope; `encodeRecord` writes the record itself.
 */
export function encodeEnvelopes<T extends Envelope>(
  writer: ProtoWriter,
  records: readonly T[],
  encodeRecord: (record: T) => void,
): void {
  for (let i = 0; i < records.length; ) {
    const { resource } = records[i]!
    const envelope = writer.open(0x0a)
    encodeResource(writer, 0x0a, resource)
    while (i < records.length && records[i]!.resource === resource) {
      const { scope } = records[i]!
      const inner = writer.open(0x12)
      encodeScope(writer, 0x0a, scope)
      for (; i < records.length && records[i]!.resource === resource && records[i]!.scope === scope; i++)
        encodeRecord(records[i]!)
      if (scope.schemaUrl !== '') writer.text(0x1a, scope.schemaUrl)
      writer.close(inner)
    }
    if (resource.schemaUrl !== '') writer.text(0x1a, resource.schemaUrl)
    writer.close(envelope)
  }
}

export function encodeResource(writer: ProtoWriter, tag: number, { attributes, droppedAttributesCount }: OtlpResource): void {
  const message = writer.open(tag)
  encodeAttributes(writer, 0x0a, attributes)
  encodeCount(writer, 0x10, droppedAttributesCount)
  writer.close(message)
}

export function encodeScope(writer: ProtoWriter, tag: number, scope: OtlpScope): void {
  const message = writer.open(tag)
  if (scope.name !== '') writer.text(0x0a, scope.name)
  if (scope.version !== '') writer.text(0x12, scope.version)
  encodeAttributes(writer, 0x1a, scope.attributes)
  encodeCount(writer, 0x20, scope.droppedAttributesCount)
  writer.close(message)
}
