/** Networks of this host. */
import { journalKeys } from '../../store/keys.ts'
import { listRecords, NetworkRecord } from '../../store/records.ts'
import { answer, type Routing } from './routing.ts'

export function addNetworks({ app, parts }: Routing): void {
  app.get('/v1/networks', async () => {
    const { journal } = await parts()
    return answer(200, await listRecords(journal, NetworkRecord, journalKeys.networks()))
  })
}
