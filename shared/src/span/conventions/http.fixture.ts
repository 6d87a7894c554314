import { type SpanFixture, viewWith } from './sent-span.fixture.ts'

export const HTTP_FIXTURES: readonly SpanFixture[] = [
  {
    guarantee: 'names a server by method and route',
    sent: {
      name: 'GET /users/{id}',
      kind: 2,
      resource: { 'service.name': 'users', 'service.version': '1.9.3' },
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/users/{id}',
        'url.path': '/users/81',
        'url.scheme': 'https',
        'http.response.status_code': 200,
        'server.address': 'users.internal',
        'user_agent.original': 'curl/8',
      },
    },
    view: viewWith({
      kind: 'http',
      operation: 'GET /users/{id}',
      service: 'users',
      release: '1.9.3',
      derived_from: {
        service: 'resource.service.name',
        release: 'resource.service.version',
        kind: 'http.request.method',
        operation: 'http.route',
      },
    }),
  },
  {
    guarantee: 'templates the path where there is no route',
    sent: {
      name: 'GET',
      kind: 2,
      attributes: {
        'http.request.method': 'GET',
        'url.path': '/users/81/orders/7d9f3c1e-93b1-4f6e-a2b4-0d9c1b7f1a11/LS4PSXUNUM',
        'http.response.status_code': 404,
      },
    },
    view: viewWith({
      kind: 'http',
      operation: 'GET /users/:id/orders/:id/:id',
      derived_from: { kind: 'http.request.method', operation: 'url.path' },
    }),
  },
  {
    guarantee: 'drops the query of the former target',
    sent: {
      name: 'HTTP POST',
      kind: 2,
      attributes: {
        'http.method': 'POST',
        'http.target': '/api/cart?session=81&x=/y',
        'http.status_code': 200,
        'http.host': 'shop:8080',
      },
    },
    view: viewWith({
      kind: 'http',
      operation: 'POST /api/cart',
      derived_from: { kind: 'http.method', operation: 'http.target' },
    }),
  },
  {
    guarantee: 'names a client by method and host',
    sent: {
      name: 'POST',
      kind: 3,
      attributes: {
        'http.request.method': 'POST',
        'url.full': 'https://api.pay.example/v1/charges/ch_3Nx?key=1',
        'server.address': 'api.pay.example',
        'server.port': 443,
        'http.response.status_code': 503,
      },
    },
    view: viewWith({
      kind: 'http',
      operation: 'POST api.pay.example',
      derived_from: { kind: 'http.request.method', operation: 'server.address' },
    }),
  },
  {
    guarantee: 'names a client by the template where the sender has one',
    sent: {
      name: 'GET /charges/{id}',
      kind: 3,
      attributes: { 'http.request.method': 'GET', 'url.template': '/charges/{id}', 'server.address': 'api.pay.example' },
    },
    view: viewWith({
      kind: 'http',
      operation: 'GET api.pay.example/charges/{id}',
      derived_from: { kind: 'http.request.method', operation: 'url.template' },
    }),
  },
  {
    guarantee: "takes the former client's host from its URL, without user, port and address",
    sent: {
      name: 'HTTP GET',
      kind: 3,
      attributes: { 'http.method': 'get', 'http.url': 'http://bob:pw@10.2.0.31:8080/metrics?x=1', 'http.status_code': 200 },
    },
    view: viewWith({ kind: 'http', operation: 'GET *.*.*.*', derived_from: { kind: 'http.method', operation: 'http.url' } }),
  },
  {
    guarantee: "keeps a router's inner step by its name: it is no request of its own",
    sent: {
      name: 'request handler - /orders/:id',
      attributes: { 'http.route': '/orders/:id', 'express.type': 'request_handler' },
    },
    view: viewWith({ kind: 'other', operation: 'request handler - /orders/:id', derived_from: { operation: 'span.name' } }),
  },
  {
    guarantee: 'joins methods of the sender’s own',
    sent: { name: 'PROPFIND', kind: 2, attributes: { 'http.request.method': '_OTHER', 'url.path': '/' } },
    view: viewWith({ kind: 'http', operation: 'HTTP /', derived_from: { kind: 'http.request.method', operation: 'url.path' } }),
  },
  {
    guarantee: 'knows a proxy by its status alone',
    sent: { name: 'router checkout egress', kind: 3, attributes: { 'http.status_code': 200, upstream_cluster: 'checkout' } },
    view: viewWith({
      kind: 'http',
      operation: 'router checkout egress',
      derived_from: { kind: 'http.status_code', operation: 'span.name' },
    }),
  },
]
