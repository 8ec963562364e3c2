/** A published port from -p to the end of its container. */
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../store/memory.ts'
import type { EngineEndpoint, EngineNetwork, PortBinding } from '../contract/docker-engine.ts'
import { type Romana, recordOf, startRomana } from './romana-steps.ts'

const WEB = { tenant: 'blue', segment: 'web' }
const PORT: PortBinding = { Proto: 6, Port: 80, HostPort: 8080, HostPortEnd: 8080 }
const ANY: PortBinding = { Proto: 6, Port: 80, HostPort: 0, HostPortEnd: 0 }

async function startWithNetwork(): Promise<Romana & { network: EngineNetwork }> {
  const romana = await startRomana()
  return { ...romana, network: await romana.engine.createNetwork('n1', WEB) }
}

/** What of published ports is to be seen: translations, sockets, records. */
async function traces({ kernel, sockets, journal }: Romana): Promise<string> {
  const rules = kernel.show().match(/--dport \d+ -j DNAT --to-destination \S+/g) ?? []
  const { entries } = await journal.list('/ports/')
  return [...rules, sockets.show(), ...entries.map(({ key }) => key)].filter((text) => text !== '').join('\n')
}

const ALL_OF_E1 = `--dport 8080 -j DNAT --to-destination 10.1.17.2:80
tcp 0.0.0.0:8080 -> 10.1.17.2:80
/ports/e1`

function namesOf({ id, network }: EngineEndpoint) {
  return { NetworkID: network.id, EndpointID: id }
}

function program(romana: Romana, endpoint: EngineEndpoint, ...ports: readonly PortBinding[]) {
  return programWith(romana, endpoint, { 'com.docker.network.portmap': ports })
}

function programWith(romana: Romana, endpoint: EngineEndpoint, Options: object) {
  return romana.call('NetworkDriver.ProgramExternalConnectivity', { ...namesOf(endpoint), Options })
}

describe('a container with -p', () => {
  it('has a socket, a record and rules', async () => {
    const romana = await startWithNetwork()
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    expect(await traces(romana)).toBe(ALL_OF_E1)
    expect(await recordOf(romana.journal, '/ports/e1')).toBe(
      '{"endpointId":"e1","ports":[{"protocol":"tcp","hostAddress":"0.0.0.0","hostPort":8080,"containerPort":80}]}',
    )
  })

  it('may be told ten times at once', async () => {
    const romana = await startWithNetwork()
    const endpoint = await romana.engine.run('e1', romana.network, { ports: [PORT] })
    await Promise.all(Array.from({ length: 10 }, () => program(romana, endpoint, PORT)))
    expect(await traces(romana)).toBe(ALL_OF_E1)
  })

  it('keeps a port that was chosen for it when it is told again', async () => {
    const romana = await startWithNetwork()
    const endpoint = await romana.engine.run('e1', romana.network, { ports: [ANY] })
    const before = await traces(romana)
    expect(before).toContain('tcp 0.0.0.0:49153 ')
    await program(romana, endpoint, ANY)
    expect(await traces(romana)).toBe(before)
  })

  it.each(['RevokeExternalConnectivity', 'Leave', 'DeleteEndpoint'])(
    'has nothing behind %s alone',
    async (method) => {
      const romana = await startWithNetwork()
      const endpoint = await romana.engine.run('e1', romana.network, { ports: [PORT] })
      await romana.call(`NetworkDriver.${method}`, namesOf(endpoint))
      await romana.call(`NetworkDriver.${method}`, namesOf(endpoint))
      expect(await traces(romana)).toBe('')
    },
  )

  it('has nothing when it died and nobody said so', async () => {
    const romana = await startWithNetwork()
    const endpoint = await romana.engine.run('e1', romana.network, { ports: [PORT] })
    romana.kernel.killContainer(endpoint.link)
    await romana.drivers.network.host.repair(['a link'])
    expect(await traces(romana)).toBe('')
  })

  it('tells its ports in EndpointOperInfo', async () => {
    const romana = await startWithNetwork()
    const endpoint = await romana.engine.run('e1', romana.network, { ports: [PORT] })
    expect(await romana.call('NetworkDriver.EndpointOperInfo', namesOf(endpoint))).toEqual({
      Value: {
        'com.docker.network.portmap': [
          { Proto: 6, IP: '', Port: 80, HostIP: '0.0.0.0', HostPort: 8080, HostPortEnd: 8080 },
        ],
      },
    })
  })

  it('gets the flows of its UDP ports, also of clients that called whoever had them before', async () => {
    const romana = await startWithNetwork()
    await romana.engine.run('e1', romana.network, { ports: [PORT, { Proto: 17, Port: 53, HostPort: 5353 }] })
    expect(romana.kernel.forgotten).toEqual(['-D -f ipv4 -p udp --orig-port-dst 5353'])
  })

  it('publishes nothing on an internal network', async () => {
    const romana = await startRomana()
    const network = await romana.engine.createNetwork('n1', { ...WEB, internal: true })
    await romana.engine.run('e1', network, { ports: [PORT] })
    expect(await traces(romana)).toBe('')
  })
})

describe('a container without -p', () => {
  it('writes no rule when it comes and when it goes', async () => {
    const romana = await startWithNetwork()
    romana.kernel.failNext('iptables-restore')
    await romana.engine.stop(await romana.engine.run('e1', romana.network))
  })
})

describe('a port that is taken', () => {
  it('by another container keeps the second from starting, and leaves nothing of it', async () => {
    const romana = await startWithNetwork()
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    const both = { ports: [{ Proto: 17, Port: 53, HostPort: 53 }, PORT] }
    await expect(romana.engine.run('e2', romana.network, both)).rejects.toThrow('E_PORT_TAKEN')
    expect(await traces(romana)).toBe(ALL_OF_E1)
  })

  it('is passed over in a range', async () => {
    const romana = await startWithNetwork()
    romana.sockets.take('tcp 0.0.0.0:8000')
    const range = { ports: [{ ...PORT, HostPort: 8000, HostPortEnd: 8001 }] }
    await romana.engine.run('e1', romana.network, range)
    expect(romana.sockets.show()).toBe('tcp 0.0.0.0:8001 -> 10.1.17.2:80')
    await expect(romana.engine.run('e2', romana.network, range)).rejects.toThrow(
      'Cannot publish port 80/tcp: Bind for 0.0.0.0:8000-8001 failed: all ports are allocated. Choose other host ports (E_PORT_TAKEN)',
    )
  })

  it('is not given out again at once where another will do', async () => {
    const romana = await startWithNetwork()
    await romana.engine.stop(await romana.engine.run('e1', romana.network, { ports: [ANY] }))
    await romana.engine.run('e2', romana.network, { ports: [ANY] })
    expect(romana.sockets.show()).toContain('tcp 0.0.0.0:49154 ')
  })
})

describe('rules that cannot be written', () => {
  it('keep the container from starting, and leave no port taken', async () => {
    const romana = await startWithNetwork()
    romana.kernel.failNext('iptables-restore')
    await expect(romana.engine.run('e1', romana.network, { ports: [PORT] })).rejects.toThrow('E_COMMAND')
    expect(await traces(romana)).toBe('')
  })

  it('when the container goes: the next look takes what is left', async () => {
    const romana = await startWithNetwork()
    const endpoint = await romana.engine.run('e1', romana.network, { ports: [PORT] })
    romana.kernel.failNext('iptables-restore')
    await expect(romana.call('NetworkDriver.RevokeExternalConnectivity', namesOf(endpoint))).rejects.toThrow()
    await romana.drivers.network.host.repair(['rules'])
    expect(await traces(romana)).toBe('')
  })
})

describe('a plugin that starts again', () => {
  it('reserves all ports, and changes no rule', async () => {
    const romana = await startWithNetwork()
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    const { sockets: _ended, ...remains } = romana
    const again = await startRomana(remains)
    expect(again.plans).toEqual([])
    expect(await traces(again)).toBe(ALL_OF_E1)
  })

  it('reserves a port that somebody took meanwhile when it is free again', async () => {
    const romana = await startWithNetwork()
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    const { sockets: _ended, ...remains } = romana
    const again = await startRomana({ ...remains, takenPorts: ['tcp 0.0.0.0:8080'] })
    expect(again.sockets.show()).toBe('')
    again.sockets.giveBack('tcp 0.0.0.0:8080')
    await again.drivers.network.host.repair(['a while'])
    expect(await traces(again)).toBe(ALL_OF_E1)
  })
})

describe('a container on two networks', () => {
  it('publishes on the one that is its way out, also where the other was never told', async () => {
    const romana = await startWithNetwork()
    const db = await romana.engine.createNetwork('n2', { tenant: 'blue', segment: 'db' })
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    const second = await romana.engine.run('e2', db, { sandbox: 'e1' })
    await program(romana, second, PORT)
    expect(await traces(romana)).toBe(ALL_OF_E1.replaceAll('10.1.17.2', '10.1.18.2').replace('e1', 'e2'))
  })

  it('is called from its other segment as by its gateway, as long as it is there', async () => {
    const romana = await startWithNetwork()
    const db = await romana.engine.createNetwork('n2', { tenant: 'blue', segment: 'db' })
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    const rule = '-A ROMANA-HAIRPIN -s 10.0.18.0/255.0.255.0 -d 10.1.17.2/32 -j MASQUERADE'
    expect(romana.kernel.show()).not.toContain(rule)
    const second = await romana.engine.run('e2', db, { sandbox: 'e1' })
    expect(romana.kernel.show()).toContain(rule)
    await romana.engine.stop(second)
    expect(romana.kernel.show()).not.toContain(rule)
    expect(await romana.drivers.network.host.preview()).toBe('')
  })
})

describe('a container with IPv6', () => {
  const PLAN6 = 'fd3a:1c55:9e02::/48 16/16/16/32'
  const ALL_OF_BOTH = `--dport 8080 -j DNAT --to-destination 10.1.17.2:80
--dport 8080 -j DNAT --to-destination [fd3a:1c55:9e02:1:1:1:0:2]:80
tcp 0.0.0.0:8080 -> 10.1.17.2:80
tcp [::]:8080 -> fd3a:1c55:9e02:1:1:1:0:2:80
/ports/e1`

  async function startDual() {
    const romana = await startRomana({ plan6: PLAN6 })
    return { ...romana, network: await romana.engine.createNetwork('n1', { ...WEB, ipv6: true }) }
  }

  it('publishes on the addresses of both families', async () => {
    const romana = await startDual()
    const endpoint = await romana.engine.run('e1', romana.network, { ports: [PORT] })
    expect(await traces(romana)).toBe(ALL_OF_BOTH)
    expect(await romana.drivers.network.host.preview()).toBe('')
    await romana.engine.stop(endpoint)
    expect(await traces(romana)).toBe('')
  })

  it('alone publishes on those of IPv6, and over loopback on 127.0.0.1 too', async () => {
    const romana = await startRomana({ plan6: PLAN6 })
    const network = await romana.engine.createNetwork('n1', { ...WEB, ipv6: 'only' })
    const loopback = { ...PORT, HostIP: '127.0.0.1', HostPort: 8081, HostPortEnd: 8081 }
    await romana.engine.run('e1', network, { ports: [PORT, loopback] })
    expect(romana.sockets.show()).toBe(`tcp 127.0.0.1:8081 -> fd3a:1c55:9e02:1:1:1:0:2:80
tcp [::]:8080 -> fd3a:1c55:9e02:1:1:1:0:2:80`)
  })

  it('gets one number on both where it may be any', async () => {
    const romana = await startDual()
    romana.sockets.take('tcp [::]:49153')
    await romana.engine.run('e1', romana.network, { ports: [ANY] })
    expect(romana.sockets.show()).toMatch(/^tcp 0.0.0.0:49154 .*\ntcp \[::\]:49154 .*$/)
  })

  it('gets the flows of its UDP ports of both families', async () => {
    const romana = await startDual()
    await romana.engine.run('e1', romana.network, { ports: [{ Proto: 17, Port: 53, HostPort: 53 }] })
    expect(romana.kernel.forgotten).toEqual([
      '-D -f ipv4 -p udp --orig-port-dst 53',
      '-D -f ipv6 -p udp --orig-port-dst 53',
    ])
  })

  it('is known with its ports by link and rules when the journal is lost', async () => {
    const romana = await startDual()
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    const { sockets: _ended, ...remains } = romana
    const again = await startRomana({ ...remains, journal: openMemoryStore(), directory: openMemoryStore() })
    expect(await traces(again)).toBe(ALL_OF_BOTH)
  })

  it('publishes each family on the network that is its way out', async () => {
    const romana = await startRomana({ plan6: PLAN6 })
    const ipv4 = await romana.engine.createNetwork('n1', WEB)
    const both = await romana.engine.createNetwork('n2', { tenant: 'blue', segment: 'db', ipv6: true })
    await romana.engine.run('e1', ipv4, { ports: [PORT] })
    const second = await romana.engine.run('e2', both, { sandbox: 'e1' })
    const split = `tcp 0.0.0.0:8080 -> 10.1.17.2:80
tcp [::]:8080 -> fd3a:1c55:9e02:1:1:2:0:2:80`
    await program(romana, second, PORT)
    expect(romana.sockets.show()).toBe(split)
    await program(romana, second, PORT)
    expect(romana.sockets.show()).toBe(split)
  })

  it('gives up one family when another network becomes the way out of that', async () => {
    const romana = await startDual()
    const ipv4 = await romana.engine.createNetwork('n2', { tenant: 'blue', segment: 'db' })
    await romana.engine.run('e1', romana.network, { ports: [PORT] })
    const second = await romana.engine.run('e2', ipv4, { sandbox: 'e1' })
    await programWith(romana, second, {
      'com.docker.network.portmap': [PORT],
      'com.docker.network.driver.private.no_proxy_6to4': true,
    })
    expect(romana.sockets.show()).toBe(`tcp 0.0.0.0:8080 -> 10.1.18.2:80
tcp [::]:8080 -> fd3a:1c55:9e02:1:1:1:0:2:80`)
    expect(await romana.drivers.network.host.preview()).toBe('')
  })
})
