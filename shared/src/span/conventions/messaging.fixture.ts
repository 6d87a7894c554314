import { type SpanFixture, viewWith } from './sent-span.fixture.ts'

export const MESSAGING_FIXTURES: readonly SpanFixture[] = [
  {
    guarantee: 'names a message by verb and destination',
    sent: {
      name: 'send orders',
      kind: 4,
      resource: { 'service.name': 'checkout' },
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'orders',
        'messaging.kafka.offset': 12,
      },
    },
    view: viewWith({
      kind: 'messaging',
      operation: 'send orders',
      service: 'checkout',
      derived_from: { service: 'resource.service.name', kind: 'messaging.system', operation: 'messaging.destination.name' },
    }),
  },
  {
    guarantee: 'takes the template before the name',
    sent: {
      name: 'process',
      kind: 5,
      attributes: {
        'messaging.system': 'rabbitmq',
        'messaging.operation.type': 'process',
        'messaging.destination.template': 'customers.{id}',
        'messaging.destination.name': 'customers.81',
      },
    },
    view: viewWith({
      kind: 'messaging',
      operation: 'process customers.{id}',
      derived_from: { kind: 'messaging.system', operation: 'messaging.destination.template' },
    }),
  },
  {
    guarantee: 'joins temporary destinations',
    sent: {
      name: 'receive',
      kind: 5,
      attributes: {
        'messaging.system': 'rabbitmq',
        'messaging.operation': 'receive',
        'messaging.destination.name': 'amq.gen-JzTY20BRgKO',
        'messaging.destination.temporary': true,
      },
    },
    view: viewWith({
      kind: 'messaging',
      operation: 'receive (temporary)',
      derived_from: { kind: 'messaging.system', operation: 'messaging.destination.temporary' },
    }),
  },
  {
    guarantee: 'takes the verb from the span kind and the destination of before',
    sent: {
      name: 'orders send',
      kind: 4,
      attributes: { 'messaging.system': 'kafka', 'messaging.destination': 'orders-eu-20260619' },
    },
    view: viewWith({
      kind: 'messaging',
      operation: 'send orders-eu-*',
      derived_from: { kind: 'messaging.system', operation: 'messaging.destination' },
    }),
  },
]
