/** Every option of `docker network create` and `docker run` that concerns networks, with Romana and with Docker's bridge. */
import { OPTION_CASES } from '../support/network-cases/tables.ts'
import { describeNetworkCases } from '../support/network-suite.ts'

describeNetworkCases('opts', OPTION_CASES)
