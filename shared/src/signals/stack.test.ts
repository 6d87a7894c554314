import { describe, expect, test } from '@jest/globals'
import { fastestMs } from './cost.fixture.ts'
import { stackSignature } from './stack.ts'

const PYTHON = `Traceback (most recent call last):
  File "/opt/venv/lib/python3.11/site-packages/requests/adapters.py", line 501, in send
    raise ConnectionError(e)
requests.exceptions.ConnectionError: refused

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/main.py", line 10, in handle
    run()
  File "/srv/app/tools/search.py", line 77, in <lambda>
    return go()
  File "/srv/app/tools/search.py", line 99, in forward
    raise ToolError(f"no {x}")
  File "/opt/venv/lib/python3.11/site-packages/agents/tools.py", line 5, in call
    pass
ToolError: no x`

const JAVA = `com.acme.shop.OrderException: order 17
\tat com.acme.shop.OrderService.place(OrderService.java:120)
\tat com.acme.shop.OrderService$$EnhancerBySpringCGLIB$$1a2b.place(<generated>)
\tat com.acme.shop.OrderController.lambda$post$3(OrderController.java:44)
\tat com.acme.shop.OrderController.post(OrderController.java:40)
\tat org.springframework.web.Servlet.service(Servlet.java:1)
Caused by: java.sql.SQLException: gone
\tat com.acme.shop.Repo.find(Repo.java:9)
\t... 12 more`

const JAVASCRIPT = `Error: boom
    at charge (/srv/app/dist/payment.4f3a2b1c.js:12:9)
    at charge (/srv/app/dist/payment.4f3a2b1c.js:14:9)
    at async Object.<anonymous> (/srv/app/dist/index.js:3:1)
    at async handle (file:///srv/app/dist/server.js:44:7)
    at Layer.handle [as handle_request] (/srv/app/node_modules/express/lib/router/layer.js:95:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`

const GO = `goroutine 1 [running]:
main.(*Server).Pay(0xc000010000, 0x1)
\t/srv/app/server.go:55 +0x1d
net/http.HandlerFunc.ServeHTTP(0x1, 0x2)
\t/usr/local/go/src/net/http/server.go:2136 +0x29`

describe('keeps the in-app frames, nearest to the raise first', () => {
  test.each([
    ['Python', PYTHON, ['requests.exceptions.ConnectionError', 'ToolError', 'search.py:forward', 'main.py:handle']],
    [
      'Java',
      JAVA,
      [
        'com.acme.shop.OrderException',
        'java.sql.SQLException',
        'com.acme.shop.OrderService.place',
        'com.acme.shop.OrderController.post',
        'com.acme.shop.Repo.find',
      ],
    ],
    ['JavaScript', JAVASCRIPT, ['payment.js:charge', 'server.js:handle']],
    ['Go', GO, ['server.go:main.(*Server).Pay']],
    [
      '.NET',
      'System.InvalidOperationException: x\n   at Shop.Cart.Add(Int32 id) in /src/Cart.cs:line 42\n   at System.Linq.Enumerable.First(IEnumerable s)',
      ['System.InvalidOperationException', 'Shop.Cart.Add'],
    ],
    ['Ruby', "/srv/app/models/order.rb:12:in `place'\n/usr/lib/ruby/gems/3.0/rack.rb:3:in `call'", ['order.rb:place']],
    [
      'Rust',
      'stack backtrace:\n   0: rust_begin_unwind\n             at /rustc/9fc6b431/library/std/src/panicking.rs:665:5\n   1: shop::db::find_order::h0123456789abcdef\n             at ./src/db/query.rs:42:5\n   2: shop::checkout::{{closure}}\n             at ./src/handlers.rs:88:14\n   3: tokio::runtime::task::core::Core<T,S>::poll\n             at /home/build/.cargo/registry/src/index/tokio-1.40.0/src/core.rs:331:17',
      ['query.rs:shop::db::find_order'],
    ],
    [
      'Rust without places',
      '   0: anyhow::error::<impl>::from\n   1: shop::db::load\n   2: shop::main',
      ['shop::db::load', 'shop::main'],
    ],
    [
      '.NET, asynchronous',
      'System.InvalidOperationException: x\n   at Shop.Orders.<PlaceAsync>d__12.MoveNext() in /src/Orders.cs:line 42\n   at Shop.Web.<>c__DisplayClass3_0.<Post>b__1() in C:\\agent\\1\\Web.cs:line 17\n   at lambda_method5(Closure, Object)',
      ['System.InvalidOperationException', 'Shop.Orders.PlaceAsync', 'Shop.Web.Post'],
    ],
    [
      'Firefox',
      'place@https://shop.example/assets/index-BX3f9a2c.js:12:4\n@https://shop.example/assets/index-BX3f9a2c.js:1:3',
      ['index.js:place'],
    ],
    [
      'a group of exceptions in Python',
      '  + Exception Group Traceback (most recent call last):\n  |   File "/app/shop/api.py", line 12, in post\n  | ExceptionGroup: 1 sub-exception\n  +-+---------------- 1 ----------------\n    |   File "/app/shop/orders.py", line 33, in place\n    | shop.OutOfStock: x',
      ['orders.py:place', 'api.py:post'],
    ],
    [
      'Go, in a folder called internal',
      'goroutine 18 [running]:\ngithub.com/acme/shop/internal/orders.(*Service).Place.func1(0xc0, {0x7f, 0xc0})\n\t/home/ci/shop/internal/orders/service.go:88 +0x1d4\nmain.Map[...](0x1)\n\t/x/m.go:1 +0x1',
      ['service.go:orders.(*Service).Place', 'm.go:main.Map'],
    ],
    [
      'Ruby 3.4',
      "/srv/app/models/order.rb:12:in 'Order#place'\n/srv/app/a.rb:3:in 'block (2 levels) in Shop::Cart#add'",
      ['order.rb:place', 'a.rb:add'],
    ],
    [
      'Elixir',
      '    (shop 0.1.0) lib/shop/orders.ex:12: Shop.Orders.place/2\n    (phoenix 1.7.10) lib/phoenix/router.ex:430: Phoenix.Router.__call__/5',
      ['orders.ex:Shop.Orders.place'],
    ],
    ['PHP', '#0 /srv/app/Order.php(12): App\\Order->place()\n#1 {main}', ['Order.php:App\\Order->place']],
  ])('%s', (_language, stack, signature) => {
    expect(stackSignature(stack)).toEqual(signature)
  })
})

test('line numbers, directories and build hashes do not change it', () => {
  const moved = JAVASCRIPT.replaceAll('/srv/app/dist', '/home/ci/build')
    .replaceAll('4f3a2b1c', '9e8d7c6b')
    .replaceAll(':12:9', ':99:1')
  expect(stackSignature(moved)).toEqual(stackSignature(JAVASCRIPT))
})

test('a bundle that is built anew gives the same, whatever its minifier called things', () => {
  const built = (hash: string, [a, b]: [string, string]) =>
    `TypeError: x\n    at ${a}.t [as place] (https://shop.example/assets/index-${hash}.js:1:48211)\n    at ${b} (https://shop.example/assets/index-${hash}.js:1:2211)`
  expect(stackSignature(built('BX3f9a2c', ['e', 'a']))).toEqual(['TypeError', 'index.js:place'])
  expect(stackSignature(built('Dk2_q81z', ['r', 'o']))).toEqual(['TypeError', 'index.js:place'])
})

test('recursion counts once, and no more than eight frames do', () => {
  const frames = Array.from({ length: 30 }, (_, i) => `    at step${'abcdefghijklmnopqrstuvwxyzabcd'[i]} (/srv/a.js:1:1)`)
  expect(stackSignature(frames.join('\n'))).toHaveLength(8)
  expect(stackSignature('    at f (/srv/a.js:1:1)\n'.repeat(50))).toEqual(['a.js:f'])
})

test('a stack of library frames alone says nothing', () => {
  expect(stackSignature('Error: x\n    at f (/srv/node_modules/a/b.js:1:1)')).toEqual([])
  expect(stackSignature('')).toEqual([])
})

test.each(['\n at ', '  File "', 'at a.b(', '    at (', 'a.', '\tat ', 'a(', ' 1: a', 'a@http://', '|  '])(
  'costs time linear in %j',
  (seed) => {
    const stackOf = (chars: number) => seed.repeat(chars / seed.length)
    expect(fastestMs(() => stackSignature(stackOf(1_000_000)))).toBeLessThan(200)
  },
)
