import { type SpanFixture, viewWith } from './sent-span.fixture.ts'

export const RPC_FIXTURES: readonly SpanFixture[] = [
  {
    guarantee: 'names a call by service and method',
    sent: {
      name: 'grpc.shop.Cart/AddItem',
      kind: 3,
      resource: { 'service.name': 'frontend' },
      attributes: {
        'rpc.system': 'grpc',
        'rpc.service': 'shop.Cart',
        'rpc.method': 'AddItem',
        'rpc.grpc.status_code': 0,
        'net.peer.name': 'cart',
        'http.method': 'POST',
      },
    },
    view: viewWith({
      kind: 'rpc',
      operation: 'shop.Cart/AddItem',
      service: 'frontend',
      derived_from: { service: 'resource.service.name', kind: 'rpc.system', operation: 'rpc.method' },
    }),
  },
  {
    guarantee: 'reads the method of the current convention, which holds the service',
    sent: {
      name: 'shop.Cart/AddItem',
      kind: 2,
      attributes: { 'rpc.system.name': 'grpc', 'rpc.method': 'shop.Cart/AddItem', 'rpc.response.status_code': 'UNAVAILABLE' },
    },
    view: viewWith({
      kind: 'rpc',
      operation: 'shop.Cart/AddItem',
      derived_from: { kind: 'rpc.system.name', operation: 'rpc.method' },
    }),
  },
  {
    guarantee: 'keeps the span name where only the system is known',
    sent: { name: '/shop.Cart/AddItem', kind: 3, attributes: { 'rpc.system': 'grpc' } },
    view: viewWith({
      kind: 'rpc',
      operation: '/shop.Cart/AddItem',
      derived_from: { kind: 'rpc.system', operation: 'span.name' },
    }),
  },
]
