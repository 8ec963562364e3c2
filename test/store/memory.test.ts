import { openMemoryStore } from '../../store/memory.ts'
import { testHistoryBound, testStore } from '../contract/store.ts'

testStore({ name: 'memory', open: async () => openMemoryStore() })
testHistoryBound(async (keptRevisions) => openMemoryStore(keptRevisions))
