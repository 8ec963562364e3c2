/** Every verb of the docker command that concerns networks, and the Engine API, with Romana and with Docker's bridge. */
import { VERB_CASES } from '../support/network-cases/tables.ts'
import { describeNetworkCases } from '../support/network-suite.ts'

describeNetworkCases('verbs', VERB_CASES)
