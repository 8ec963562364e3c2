/** Three members of one etcd on this machine's loopback. */
import { type EtcdMember, freePort, startEtcdMember } from '../../lab/etcd-member.ts'

/** Each member ends with `opened`. */
export async function startEtcdMembers(opened: AsyncDisposableStack): Promise<EtcdMember[]> {
  const peers = [await freePort(), await freePort(), await freePort()].map((port, index) => ({
    name: `m${index}`,
    url: `http://127.0.0.1:${port}`,
  }))
  const cluster = peers.map(({ name, url }) => `${name}=${url}`).join(',')
  const starts = peers.map(async ({ name, url }) => {
    const urls = [`--listen-peer-urls=${url}`, `--initial-advertise-peer-urls=${url}`]
    return opened.use(
      await startEtcdMember(['etcd'], [`--name=${name}`, ...urls, `--initial-cluster=${cluster}`]),
    )
  })
  return await Promise.all(starts)
}
