/** Requests that must change nothing, and what each is answered with. */
import { METHODS } from '../../plugin/methods.ts'
import type { PluginRequest } from './http-steps.ts'
import { METHOD_NAMES } from './protocol-calls.ts'

export interface BadRequest {
  readonly what: string
  readonly request: PluginRequest
  /** Status and text, or their form. */
  readonly answer: string | RegExp
}

const CALLS = Object.entries(METHODS).flatMap(([name, { kind }]) => (kind === 'call' ? [name] : []))

/** A call is sent again with an empty body when the connection breaks in the middle. */
const EMPTY: BadRequest[] = CALLS.flatMap((name) =>
  ['', '\n'].map((body) => ({
    what: `${name} with the body ${JSON.stringify(body)}`,
    request: { path: `/${name}`, body },
    answer: `400 Cannot answer ${name}: the body is empty: the engine has sent the call a second time (E_REQUEST)`,
  })),
)

/** No method takes anything but an object. */
const NO_OBJECTS: BadRequest[] = CALLS.flatMap((name) =>
  ['null', '5', '"all"', 'true'].map((body) => ({
    what: `${name} with the body ${body}`,
    request: { path: `/${name}`, body },
    answer: new RegExp(`^400 Cannot answer ${name}: ".*": .*\\(E_REQUEST\\)$`),
  })),
)

/** Cut off, none at all, or more than one. */
const NO_JSON: BadRequest[] = CALLS.flatMap((name) =>
  ['{', '{"NetworkID":"n1"', 'NetworkID=n1', '{"NetworkID":"n1"}{', '\u0000', '\ufffd\ufffd', '[1,]'].map(
    (body) => ({
      what: `${name} with the body ${JSON.stringify(body)}`,
      request: { path: `/${name}`, body },
      answer: new RegExp(`^400 Cannot answer ${name}: .*JSON.*\\(E_REQUEST\\)$`),
    }),
  ),
)

/** No method does without what it is about; discovery has nothing to be about. */
const NOTHING_NAMED: BadRequest[] = CALLS.filter((name) => !name.includes('.Discover')).flatMap((name) =>
  ['{}', '[]', '{"x":1}'].map((body) => ({
    what: `${name} with the body ${body}`,
    request: { path: `/${name}`, body },
    answer: new RegExp(
      `^400 Cannot answer ${name}: "\\w+": Invalid key: Expected "\\w+" but received undefined.* \\(E_REQUEST\\)$`,
    ),
  })),
)

function wrongShape(name: string, body: object, reason: string): BadRequest {
  const text = JSON.stringify(body)
  return {
    what: `${name} with ${text.slice(0, 80)}`,
    request: { path: `/${name}`, body: text },
    answer: `400 Cannot answer ${name}: ${reason} (E_REQUEST)`,
  }
}

const NOT_AN_ID = 'must be 1 to 64 letters and digits'
const WRONG_SHAPES: BadRequest[] = [
  ...['', '..', '../n1', 'n1/x', 'n 1', 'n\u0000', 'a'.repeat(65)].map((NetworkID) =>
    wrongShape('NetworkDriver.DeleteNetwork', { NetworkID }, `"NetworkID": ${NOT_AN_ID}`),
  ),
  wrongShape(
    'NetworkDriver.Leave',
    { NetworkID: 5 },
    '"NetworkID": Invalid type: Expected string but received 5; "EndpointID": Invalid key: Expected "EndpointID" but received undefined',
  ),
  wrongShape(
    'NetworkDriver.CreateNetwork',
    { NetworkID: 'n1', IPv4Data: { Pool: '10.1.17.0/24' } },
    '"IPv4Data": Invalid type: Expected Array but received Object',
  ),
  wrongShape(
    'NetworkDriver.CreateEndpoint',
    { NetworkID: 'n1', EndpointID: 'e1', Interface: { Address: ['10.1.17.2/32'] } },
    '"Interface.Address": Invalid type: Expected string but received Array',
  ),
  wrongShape(
    'IpamDriver.RequestPool',
    { AddressSpace: 'RomanaLocal', Options: { tenant: 5 } },
    '"Options.tenant": Invalid type: Expected string but received 5',
  ),
  wrongShape(
    'IpamDriver.RequestAddress',
    { PoolID: 'x', Options: 'all' },
    '"Options": Invalid type: Expected Object but received "all"',
  ),
]

/** JSON's "__proto__" is a field like others, and no method has it. */
const PROTOTYPES: BadRequest[] = ['__proto__', 'constructor', 'prototype'].map((field) => ({
  what: `NetworkDriver.DeleteNetwork with a field ${field}`,
  request: { path: '/NetworkDriver.DeleteNetwork', body: `{"${field}":{"NetworkID":"n1"}}` },
  answer:
    '400 Cannot answer NetworkDriver.DeleteNetwork: "NetworkID": Invalid key: Expected "NetworkID" but received undefined (E_REQUEST)',
}))

const UNKNOWN: BadRequest[] = [
  ['POST', '/NetworkDriver.AllocateNetwork'],
  ['POST', '/NetworkDriver.FreeNetwork'],
  ['POST', '/NetworkDriver.join'],
  ['POST', '/'],
  ['POST', '/../NetworkDriver.Join/x'],
  ['POST', '/__proto__'],
  ['GET', '/NetworkDriver.Join'],
  ['PUT', '/IpamDriver.RequestPool'],
].map(([method = '', path = '']) => ({
  what: `${method} ${path}`,
  request: { path, method },
  answer: /^404 Cannot answer .*: Romana has no such method \(E_METHOD\)$/,
}))

/** Those too that need no body, and those that are not there. */
export const LARGE_REQUESTS: readonly BadRequest[] = METHOD_NAMES.map((name) => ({
  what: `${name} with a body of 10 MB`,
  request: { path: `/${name}`, body: `{"NetworkID":"n1","x":"${'x'.repeat(10_000_000)}"}` },
  answer: '400 Cannot answer the request: its body has more than 1048576 bytes (E_REQUEST)',
}))

export const BAD_REQUESTS: readonly BadRequest[] = [
  ...EMPTY,
  ...NO_OBJECTS,
  ...NO_JSON,
  ...NOTHING_NAMED,
  ...WRONG_SHAPES,
  ...PROTOTYPES,
  ...UNKNOWN,
]
